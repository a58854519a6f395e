"""A restored backup does not bring back whom we erased."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import (
    DeletionRequest,
    ErasureEntry,
    ErasureList,
    LinkedAccount,
    PrivacyRequest,
    SuppressedPerson,
)
from accounts.scopes import Scope
from accounts.selectors import consent_in_force
from accounts.services import consent as consents
from accounts.services import erasure, suppression
from accounts.services.erasure import erasure_list, restored_backup
from followersync.models import Follower
from tests.support.clock import Clock
from tests.support.factories import LinkedAccountFactory, MemberFactory, consent
from threadsite import serving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_known_yet(monkeypatch):
    monkeypatch.setattr(serving, "_known", serving._Known())


def erase(account) -> None:
    restored_backup.compare()
    deletion = erasure.request_account_erasure(account=account, channel="web")
    while erasure.advance(deletion.pk):
        pass


def replay(**options) -> str:
    out = StringIO()
    call_command("replay_erasures", stdout=out, **options)
    return out.getvalue()


def restore(account, clock: Clock):
    """The backup of an hour ago brings the row back, and takes the younger entries away."""
    ErasureEntry.objects.all().delete()
    account.pk = None
    account.linked_at = clock() - timedelta(days=10)
    account.save()
    return account


def test_whom_the_backup_brings_back_is_erased_again_before_anything_is_served(account, clock):
    erase(account)
    back = restore(account, clock)
    assert "does not know 1 of its 1 entries" in serving.refusal(fresh=True)
    with pytest.raises(ImproperlyConfigured, match="replay_erasures"):
        serving.check_start()

    told = replay()

    assert not LinkedAccount.objects.filter(pk=back.pk).exists()
    assert "erased again" in told
    assert "This database may be served." in told
    assert serving.refusal(fresh=True) == ""


def test_an_archive_account_is_known_again_without_an_instagram_id(alice, clock):
    account = LinkedAccountFactory(
        owner=alice, kind="archive", instagram_id=None, app_scoped_id=None, username="by.archive"
    )
    erase(account)
    back = restore(account, clock)

    replay()

    assert not LinkedAccount.objects.filter(pk=back.pk).exists()


def test_who_linked_anew_after_the_erasure_stays(account, clock):
    erase(account)
    clock.advance(days=1)
    ErasureEntry.objects.all().delete()
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
    restored_backup.compare()
    erasure.advance(erasure.request_full_erasure(owner=owner, channel="web").pk)
    ErasureEntry.objects.all().delete()
    MemberFactory(pk=number, username="gone.for.good", date_joined=joined)

    replay()

    assert not type(owner).objects.filter(pk=number).exists()
    assert DeletionRequest.objects.filter(everything=True, state="completed").count() == 2


def test_a_withdrawn_permission_and_what_it_brought_do_not_come_back(account, clock):
    restored_backup.compare()
    consent(account, Scope.FOLLOWERS)
    Follower.objects.create(account_id=account.pk, key=1, place=1, username="somebody")
    clock.advance(days=1)
    consents.withdraw(account=account, scope=Scope.FOLLOWERS, channel="web", actor=account.owner)
    assert not erasure.advance(DeletionRequest.objects.get(scope="followers").pk)
    clock.advance(minutes=1)
    # As the backup has it: the list is there, and the consent, which is older than the erasure.
    ErasureEntry.objects.all().delete()
    Follower.objects.create(account_id=account.pk, key=1, place=1, username="somebody")
    _forget_withdrawals(account)
    assert consent_in_force(account.pk, Scope.FOLLOWERS)

    replay()

    assert not consent_in_force(account.pk, Scope.FOLLOWERS)
    assert not Follower.objects.exists()


def test_a_permission_that_was_given_again_after_the_erasure_stays(account, clock):
    restored_backup.compare()
    consent(account, Scope.FOLLOWERS)
    clock.advance(days=1)
    consents.withdraw(account=account, scope=Scope.FOLLOWERS, channel="web", actor=account.owner)
    erasure.advance(DeletionRequest.objects.get(scope="followers").pk)
    clock.advance(days=1)
    consent(account, Scope.FOLLOWERS)
    ErasureEntry.objects.all().delete()

    replay()

    assert consent_in_force(account.pk, Scope.FOLLOWERS)


def _forget_withdrawals(account) -> None:
    """Set the ledger back to before the withdrawal, which only a backup can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM accounts_consentevent WHERE action = 'withdrawn'")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_somebody_who_was_kept_out_is_kept_out_of_the_restored_database_too(account, clock):
    restored_backup.compare()
    request = suppression.suppress_proven(instagram_id="17", username="leave.me", language="en")
    while suppression.advance(request.pk):
        pass
    # As the backup has it: no request, no hashes, and the person in somebody's list.
    SuppressedPerson.objects.all().delete()
    PrivacyRequest.objects.all().delete()
    ErasureEntry.objects.all().delete()
    Follower.objects.create(account_id=account.pk, key=17, place=1, username="another.name.now")
    Follower.objects.create(account_id=account.pk, key=18, place=2, username="stays")

    replay()

    assert [row.username for row in Follower.objects.all()] == ["stays"]
    assert suppression.suppressed([17], ["leave.me"]) == {17, "leave.me"}
    assert set(PrivacyRequest.objects.values_list("state", "username")) == {("completed", "")}


def test_a_copy_of_the_list_serves_where_the_list_itself_is_gone(account, clock, tmp_path):
    erase(account)
    copy = (tmp_path / "copy").as_uri()
    call_command("ship_erasures", to=copy, stdout=StringIO())
    for path in sorted((tmp_path / "erasures").rglob("*.json")):
        path.unlink()
    back = restore(account, clock)
    assert "not at ERASURES_URL" in serving.refusal(fresh=True)
    with pytest.raises(CommandError, match="nothing was replayed"):
        replay()

    replay(list=copy)

    assert not LinkedAccount.objects.filter(pk=back.pk).exists()
    assert serving.refusal(fresh=True) == ""
    call_command("check_erasures", stdout=StringIO())


def test_without_the_list_nothing_is_served_until_somebody_says_so(account, tmp_path):
    restored_backup.compare()
    (tmp_path / "erasures" / "list.json").unlink()

    assert "not at ERASURES_URL" in serving.refusal(fresh=True)
    assert "--without-list" in serving.refusal(fresh=True)
    assert "may be served" in replay(without_list=True)
    assert serving.refusal(fresh=True) == ""


def test_a_database_from_before_the_list_was_begun_is_older_too(account, clock):
    erase(account)
    restore(account, clock)
    ErasureList.objects.all().delete()

    assert "older than the list" in serving.refusal(fresh=True)


def test_the_list_of_another_database_is_never_taken_for_ours(account, tmp_path):
    restored_backup.compare()
    (tmp_path / "erasures" / "list.json").write_text('{"mark": "0123"}')

    assert "belongs to another database" in serving.refusal(fresh=True)
    deletion = erasure.request_account_erasure(account=account, channel="web")
    erasure.advance(deletion.pk)
    deletion.refresh_from_db()
    assert (deletion.state, deletion.error_code) == ("running", "storage_unavailable")


def test_an_erasure_is_not_called_done_while_the_list_does_not_answer(
    account, tmp_path, clock, settings
):
    restored_backup.compare()
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings.ERASURES_URL = (blocked / "list").as_uri()
    deletion = erasure.request_account_erasure(account=account, channel="web")

    assert erasure.advance(deletion.pk) is False

    deletion.refresh_from_db()
    assert (deletion.state, deletion.failures) == ("running", 0)
    assert LinkedAccount.objects.filter(pk=account.pk).exists()
    settings.ERASURES_URL = ""
    clock.advance(minutes=3)
    assert erasure.due() == [deletion.pk]
    erasure.advance(deletion.pk)
    deletion.refresh_from_db()
    assert deletion.state == "completed"
    assert len(erasure_list.numbers(erasure_list.storage())) == ErasureEntry.objects.count() == 1


def test_where_the_list_does_not_answer_a_database_that_was_compared_is_served_on(
    account, tmp_path, settings
):
    restored_backup.compare()
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings.ERASURES_URL = (blocked / "list").as_uri()
    assert serving.refusal(fresh=True) == ""

    ErasureList.objects.update(seen_on="another server")

    assert "cannot be read" in serving.refusal(fresh=True)


def test_a_forged_or_broken_entry_is_named_and_nobody_is_erased(account, clock, tmp_path):
    erase(account)
    back = restore(account, clock)
    path = next(iter((tmp_path / "erasures" / "entries").iterdir()))
    genuine = path.read_text()
    for text, why in (
        (genuine.replace('"account"', '"member"'), "not signed"),
        ('{"kind": "account"}', "not an entry"),
        ("[]", "not an entry"),
    ):
        path.write_text(text)
        with pytest.raises(CommandError, match=why):
            replay()
        with pytest.raises(CommandError, match="differences"):
            call_command("check_erasures", stdout=StringIO(), stderr=StringIO())
    back.refresh_from_db()
    assert back.state == "active"


def test_what_the_list_lacks_is_seen_and_shipped(account, tmp_path):
    erase(account)
    next(iter((tmp_path / "erasures" / "entries").iterdir())).unlink()
    with pytest.raises(CommandError, match="1 differences"):
        call_command("check_erasures", stdout=StringIO(), stderr=StringIO())

    call_command("ship_erasures", stdout=StringIO())

    call_command("check_erasures", stdout=StringIO())


def test_two_hosts_write_one_list_and_lose_no_entry(settings, tmp_path: Path):
    """What each writes is an object of its own, so that neither overwrites the other's."""
    settings.ERASURES_URL = (tmp_path / "shared").as_uri()
    for host in ("one", "two"):
        settings.THREADSITE_HOME = tmp_path / host
        for number in range(3):
            erase(LinkedAccountFactory(username=f"{host}.{number}"))

    assert len(erasure_list.numbers(erasure_list.storage())) == 6
    assert serving.refusal(fresh=True) == ""


def test_the_list_cannot_be_kept_in_the_database_that_it_outlives(settings):
    settings.ERASURES_URL = "database:"

    with pytest.raises(ImproperlyConfigured, match="cannot be the database"):
        erasure_list.storage()
