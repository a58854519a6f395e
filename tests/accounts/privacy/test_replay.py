"""A restored backup does not bring back whom we erased."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import DeletionRequest, ErasureEntry
from accounts.services import erasure
from tests.support.clock import Clock
from tests.support.factories import LinkedAccountFactory, MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home_of_this_test(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path


def erase(account) -> None:
    deletion = erasure.request_account_erasure(account=account, channel="web")
    erasure.advance(deletion.pk)


def replay(**options) -> str:
    out = StringIO()
    call_command("replay_erasures", stdout=out, **options)
    return out.getvalue()


def restore(account, clock: Clock):
    """The backup of an hour ago brings the row back, and takes the younger list away."""
    ErasureEntry.objects.all().delete()
    account.pk = None
    account.linked_at = clock() - timedelta(days=10)
    account.save()
    return account


def test_whom_the_backup_brings_back_is_erased_again_by_the_file(account, clock):
    erase(account)
    back = restore(account, clock)

    told = replay()

    back.refresh_from_db()
    assert back.state == "unlinked"
    assert DeletionRequest.objects.filter(account_id=back.pk, state="requested").exists()
    assert "1 to be done again" in told


def test_an_archive_account_is_known_again_without_an_instagram_id(alice, clock):
    account = LinkedAccountFactory(
        owner=alice, kind="archive", instagram_id=None, app_scoped_id=None, username="by.archive"
    )
    erase(account)
    back = restore(account, clock)

    replay()

    assert DeletionRequest.objects.filter(account_id=back.pk).exists()


def test_who_linked_anew_after_the_erasure_stays(account, clock):
    erase(account)
    clock.advance(days=1)
    account.pk = None
    account.linked_at = clock()
    account.save()

    replay()

    account.refresh_from_db()
    assert account.state == "active"


def test_somebody_elses_link_of_the_same_account_stays(account, bob, clock):
    erase(account)
    account.owner = bob
    back = restore(account, clock)

    replay()

    back.refresh_from_db()
    assert back.state == "active"


def test_a_member_whom_the_backup_brings_back_is_erased_whole(clock):
    owner = MemberFactory(username="gone.for.good")
    number, joined = owner.pk, clock() - timedelta(days=9)
    erasure.advance(erasure.request_full_erasure(owner=owner, channel="web").pk)
    ErasureEntry.objects.all().delete()
    MemberFactory(pk=number, username="gone.for.good", date_joined=joined)

    replay()

    assert DeletionRequest.objects.filter(owner_id=number, everything=True).exists()


def test_the_list_can_be_kept_apart_from_the_backups(account, clock, tmp_path):
    erase(account)
    kept = tmp_path / "kept.jsonl"
    replay(save=kept)
    (tmp_path / "erasures.jsonl").unlink()
    back = restore(account, clock)

    replay(list=[kept])

    assert DeletionRequest.objects.filter(account_id=back.pk).exists()


def test_a_broken_list_is_named_and_nothing_is_erased(account, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"kind": "account"}\n')

    with pytest.raises(CommandError, match="line 1"):
        replay(list=[broken])

    account.refresh_from_db()
    assert account.state == "active"
