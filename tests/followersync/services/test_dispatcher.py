from __future__ import annotations

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from accounts import clock as product_clock
from accounts.models import LinkedAccount, User
from accounts.services import linking
from followersync import tasks
from followersync.models import SyncRun, SyncSettings
from followersync.services.sync import dispatcher, lease, runs, thread_pool
from tests.support.clock import Clock
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, held, linked, truth, without_runs


def due(account: LinkedAccount, clock: Clock, *, minutes: int = 1) -> LinkedAccount:
    SyncSettings.objects.filter(pk=account.pk).update(
        next_due_at=clock() - timedelta(minutes=minutes)
    )
    return account


def test_what_is_due_gets_a_run_and_what_is_not_gets_none(
    followed: LinkedAccount, bob: User, clock: Clock, django_capture_on_commit_callbacks
) -> None:
    later = without_runs(linked(bob))
    SyncSettings.objects.filter(pk=later.pk).update(next_due_at=clock() + timedelta(hours=1))
    due(followed, clock)

    with django_capture_on_commit_callbacks(execute=True):
        ticked = dispatcher.tick()

    assert ticked.opened == 1
    assert SyncRun.objects.get().account == followed
    assert OrmQ.objects.count() == 1


def test_a_second_tick_opens_nothing_twice(followed: LinkedAccount, clock: Clock) -> None:
    due(followed, clock)
    dispatcher.tick()

    assert dispatcher.tick() == dispatcher.TickResult(opened=0, enqueued=0)


def test_a_paused_account_is_never_due(followed: LinkedAccount, clock: Clock) -> None:
    linking.pause(account=followed, actor=followed.owner)
    due(followed, clock)

    assert dispatcher.tick().opened == 0


def test_a_member_with_many_accounts_does_not_keep_others_waiting(
    alice: User, bob: User, edge: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "BATCH", 3)
    for _ in range(4):
        due(without_runs(linked(alice)), clock, minutes=60)
    bobs = due(without_runs(linked(bob)), clock)

    dispatcher.open_due()

    assert bobs in {run.account for run in SyncRun.objects.all()}


def test_a_task_that_was_lost_is_enqueued_again(followed: LinkedAccount, clock: Clock) -> None:
    run = runs.request_sync(account=followed, trigger="member")
    assert dispatcher.enqueue_stuck() == 0

    clock.advance(minutes=3)

    assert dispatcher.enqueue_stuck() == 1
    run.refresh_from_db()
    assert run.enqueued_at == clock()
    assert dispatcher.enqueue_stuck() == 0


def test_the_run_of_a_dead_worker_is_enqueued_and_can_be_taken_again(
    followed: LinkedAccount, clock: Clock
) -> None:
    run = runs.request_sync(account=followed, trigger="member")
    first = lease.take(run.pk)
    assert first is not None
    assert lease.take(run.pk) is None

    clock.advance(minutes=3)

    assert dispatcher.enqueue_stuck() == 1
    assert lease.take(run.pk) is not None


def test_a_wait_that_is_over_is_enqueued_at_the_next_tick(
    followed: LinkedAccount, clock: Clock
) -> None:
    run = runs.request_sync(account=followed, trigger="member")
    SyncRun.objects.filter(pk=run.pk).update(
        state="waiting", not_before=clock() + timedelta(seconds=30)
    )
    assert dispatcher.enqueue_stuck() == 0

    clock.advance(seconds=40)

    assert dispatcher.enqueue_stuck() == 1


@pytest.mark.django_db(transaction=True)
def test_accounts_that_fall_due_together_are_synced_together(
    sandbox: Sandbox, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Threads that stayed would keep the test database from being dropped.
    monkeypatch.setattr(thread_pool, "IDLE_SECONDS", 0.01)
    accounts = [
        connect(sandbox, alice, "ada"),
        connect(sandbox, bob, sandbox.accounts()[-1]["username"]),
    ]
    SyncSettings.objects.update(next_due_at=product_clock.now() - timedelta(minutes=1))
    dispatcher.open_due()

    tasks.advance_runs(*SyncRun.objects.values_list("pk", flat=True))

    assert {run.state for run in SyncRun.objects.all()} == {"succeeded"}
    for account in accounts:
        assert held(account) == truth(sandbox, account)


def test_a_dead_workers_run_is_enqueued_as_soon_as_its_lease_is_over(
    followed: LinkedAccount, clock: Clock
) -> None:
    run = runs.request_sync(account=followed, trigger="member")
    assert lease.take(run.pk) is not None

    clock.advance(seconds=lease.LEASE.total_seconds() - 1)
    assert dispatcher.enqueue_stuck() == 0
    clock.advance(seconds=2)

    # A member who watches the progress waits for half a minute, not for three.
    assert dispatcher.enqueue_stuck() == 1
    assert dispatcher.enqueue_stuck() == 0


def test_a_run_whose_worker_was_killed_goes_on_within_forty_seconds(
    followed: LinkedAccount, clock: Clock
) -> None:
    run = runs.request_sync(account=followed, trigger="member")
    assert lease.take(run.pk) is not None

    clock.advance(seconds=31)

    assert dispatcher.enqueue_stuck() == 1
    assert lease.take(run.pk) is not None
