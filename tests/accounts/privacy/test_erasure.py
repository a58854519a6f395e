"""Who asks to be erased leaves nothing behind, and takes nothing of anybody else's along."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django_q.models import OrmQ, Task

from accounts.errors import Conflict
from accounts.models import (
    AccessToken,
    ConsentEvent,
    ConsentSubject,
    DeletionRequest,
    ErasureEntry,
    LinkedAccount,
    User,
)
from accounts.scopes import Scope
from accounts.services import consent as consent_service
from accounts.services import erasure, linking
from accounts.services.erasure import runner
from followersync.models import Follower, FollowerChange
from tests.support import leaving, residue
from tests.support.clock import Clock
from tests.support.factories import LinkedAccountFactory, consent
from tests.support.leaving import Canary

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def exports_of_this_test(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path


@pytest.fixture
def canary() -> Canary:
    return leaving.canary()


@pytest.fixture
def shared(bob: User) -> LinkedAccount:
    """Bob lists three of the people who follow the canary, and the canary too."""
    account = LinkedAccountFactory(owner=bob, username="bobs.own")
    for n in range(3):
        Follower.objects.create(
            account_id=account.pk, key=leaving.FOLLOWER_ID + n, place=n, username=f"shared{n}"
        )
    return account


def finish(deletion: DeletionRequest) -> DeletionRequest:
    while erasure.advance(deletion.pk):
        pass
    deletion.refresh_from_db()
    assert deletion.state == "completed", deletion.error_code
    return deletion


def test_the_canary_is_everywhere_before_so_that_the_search_is_one(canary: Canary):
    places = {hit.split(":")[0] for hit in residue.hits(canary.words)}

    assert len(places) >= 15, places
    assert "django_session decoded" in places
    assert "django_q_task decoded" in places
    assert "threadsite_cache decoded" in places


def test_nothing_of_a_member_who_deletes_everything_remains_anywhere(canary: Canary):
    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")

    finish(deletion)

    assert residue.hits(canary.words) == []
    assert not User.objects.filter(pk=canary.owner.pk).exists()
    assert deletion.residue["rows"] == 0
    assert deletion.erased["followers"] == canary.followers
    assert (deletion.account_id, deletion.owner_id) == (None, None)


def test_people_whom_another_member_lists_stay_in_that_list(canary: Canary, shared: LinkedAccount):
    finish(erasure.request_full_erasure(owner=canary.owner, channel="web"))

    assert Follower.objects.filter(account_id=shared.pk).count() == 3
    assert User.objects.filter(username="bob").exists()


def test_other_members_queue_rows_sessions_and_cache_survive(canary: Canary, shared, as_alice):
    leaving.queue_task("followersync.tasks.advance_run", 987654)
    cache.set("others", {"user_id": shared.owner_id}, 600)
    sessions = Session.objects.count()

    finish(erasure.request_full_erasure(owner=canary.owner, channel="web"))

    assert OrmQ.objects.count() == 1
    assert not Task.objects.exists()
    assert cache.get("others") == {"user_id": shared.owner_id}
    assert Session.objects.count() == sessions - 1


def test_unlinking_erases_the_account_and_leaves_the_member_and_their_other_account(
    canary: Canary,
):
    other = LinkedAccountFactory(owner=canary.owner, username="second.link")
    Follower.objects.create(account_id=other.pk, key=5, place=1, username="stays")

    deletion = linking.unlink(
        account=canary.account, erase="now", channel="web", actor=canary.owner
    )
    finish(deletion)

    assert residue.hits([leaving.INSTAGRAM_ID, leaving.APP_ID, leaving.NAME, "wombatfan"]) == []
    assert Follower.objects.filter(account_id=other.pk).count() == 1
    assert canary.owner.linked_accounts.get() == other
    assert User.objects.get(pk=canary.owner.pk).is_active


def test_the_token_is_gone_at_once_and_not_only_when_the_queue_comes_round(canary: Canary):
    erasure.request_full_erasure(owner=canary.owner, channel="web")

    assert not AccessToken.objects.exists()
    assert not residue.hits([leaving.TOKEN])
    assert not User.objects.get(pk=canary.owner.pk).is_active


def test_the_ledger_keeps_its_entries_under_a_subject_that_leads_to_nobody(canary: Canary):
    before = ConsentEvent.objects.count()

    finish(erasure.request_full_erasure(owner=canary.owner, channel="web"))

    assert ConsentEvent.objects.count() > before
    assert not ConsentSubject.objects.exists()


class Killed(BaseException):
    """Ends a worker where it stands, past every `except Exception`."""


def test_an_erasure_killed_three_times_is_finished_and_counts_nothing_twice(
    canary: Canary, clock: Clock, monkeypatch
):
    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")
    renew, beats = runner._renew, {"left": 0}

    def renew_or_die(worked_on: DeletionRequest, **fields: object) -> None:
        beats["left"] -= 1
        if beats["left"] == 0:
            raise Killed
        renew(worked_on, **fields)

    monkeypatch.setattr(runner, "_renew", renew_or_die)
    for batches in (2, 6, 11):
        beats["left"] = batches
        with pytest.raises(Killed):
            erasure.advance(deletion.pk, batch=7)
        assert erasure.due() == []  # the dead worker's lease has not run out
        clock.advance(minutes=3)
        assert erasure.due() == [deletion.pk]
    beats["left"] = -1

    finish(deletion)

    assert residue.hits(canary.words) == []
    assert deletion.erased["followers"] == canary.followers
    assert deletion.attempts == 4


def test_a_worker_whose_lease_was_taken_over_changes_nothing_more(canary: Canary, clock: Clock):
    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")
    first = runner._claim(deletion.pk)
    assert first is not None
    clock.advance(minutes=3)
    assert runner._claim(deletion.pk) is not None

    with pytest.raises(runner.LeaseLost):
        runner._renew(first)


def test_two_workers_never_hold_one_erasure(canary: Canary):
    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")

    assert runner._claim(deletion.pk) is not None
    assert runner._claim(deletion.pk) is None


def test_asking_twice_is_asking_once(canary: Canary):
    first = erasure.request_full_erasure(owner=canary.owner, channel="web")
    again = erasure.request_full_erasure(owner=canary.owner, channel="api")

    assert first.code == again.code


def test_an_erasure_waits_for_its_grace_and_can_be_called_off(canary: Canary, clock: Clock):
    deletion = linking.unlink(
        account=canary.account, erase="after_grace", channel="web", actor=canary.owner
    )

    assert deletion.state == "scheduled"
    assert not erasure.advance(deletion.pk)
    erasure.cancel(deletion=deletion)
    clock.advance(days=60)
    assert erasure.due() == []
    assert Follower.objects.filter(account_id=canary.account.pk).count() == canary.followers


def test_an_erasure_begins_by_itself_when_the_grace_is_over(canary: Canary, clock: Clock):
    deletion = linking.unlink(
        account=canary.account, erase="after_grace", channel="web", actor=canary.owner
    )
    clock.advance(days=31)

    assert erasure.due() == [deletion.pk]
    finish(deletion)
    assert not LinkedAccount.objects.filter(pk=canary.account.pk).exists()


def test_what_has_begun_cannot_be_called_off(canary: Canary):
    deletion = linking.unlink(
        account=canary.account, erase="now", channel="web", actor=canary.owner
    )

    with pytest.raises(Conflict) as refused:
        erasure.cancel(deletion=deletion)
    assert refused.value.code == "deletion_begun"


def test_deleting_everything_hastens_what_was_to_wait(canary: Canary):
    waiting = linking.unlink(
        account=canary.account, erase="after_grace", channel="web", actor=canary.owner
    )

    finish(erasure.request_full_erasure(owner=canary.owner, channel="web"))

    waiting.refresh_from_db()
    assert waiting.state == "completed"
    assert waiting.receipt is not None
    assert residue.hits(canary.words) == []


def test_withdrawing_a_scope_erases_what_it_paid_for_and_leaves_the_link(canary: Canary):
    deletion = erasure.request_scope_erasure(
        account=canary.account, scope=Scope.FOLLOWERS, channel="web"
    )

    finish(deletion)

    assert not Follower.objects.filter(account_id=canary.account.pk).exists()
    assert not FollowerChange.objects.filter(account_id=canary.account.pk).exists()
    assert LinkedAccount.objects.filter(pk=canary.account.pk).exists()


def test_residue_is_never_called_done(canary: Canary, monkeypatch, clock: Clock):
    """A row that comes back after every sweep must end in a failure that staff see."""
    from accounts import registry

    def forgetful(account_id: int, limit: int) -> int:
        return 0

    monkeypatch.setitem(registry._erasers, "followers", forgetful)
    monkeypatch.setattr("accounts.services.erasure.rows.delete_batch", lambda *args: 0)
    deletion = erasure.request_account_erasure(account=canary.account, channel="web")

    for _night in range(runner.MOST_FAILURES):
        erasure.advance(deletion.pk)
        clock.advance(days=1)

    deletion.refresh_from_db()
    assert deletion.state == "failed"
    assert deletion.receipt is None
    assert LinkedAccount.objects.filter(pk=canary.account.pk).exists()


def test_the_list_of_erasures_names_nobody_and_is_kept_outside_the_database_too(
    canary: Canary, settings
):
    finish(erasure.request_full_erasure(owner=canary.owner, channel="web"))

    assert ErasureEntry.objects.filter(listed_at__isnull=False, deletion=None).count() == 2
    kept = [
        path.read_text(encoding="utf-8").lower()
        for path in (settings.THREADSITE_HOME / "erasures" / "entries").iterdir()
    ]
    assert len(kept) == 2
    assert not [word for word in canary.words if word in "".join(kept)]


def test_what_is_being_erased_cannot_be_allowed_again_until_it_is_gone(canary: Canary):
    consent_service.withdraw(
        account=canary.account, scope=Scope.FOLLOWERS, channel="web", actor=canary.owner
    )
    with pytest.raises(Conflict) as refused:
        consent(canary.account, Scope.FOLLOWERS)
    assert refused.value.code == "erasure_running"

    finish(DeletionRequest.objects.get(scope="followers"))

    consent(canary.account, Scope.FOLLOWERS)
