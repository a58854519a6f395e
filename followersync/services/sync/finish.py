"""Finish of a run: stores its snapshot, and decides when the account is due next."""

from __future__ import annotations

import random
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Sum

from accounts import clock
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.services import gate
from followersync import store
from followersync.domain import engine as domain
from followersync.domain import schedule
from followersync.domain.values import ListSource
from followersync.models import Absence, FollowerSnapshot, Mode, SyncRun, SyncSettings, Trigger
from followersync.selectors.call_budget import remaining_calls
from followersync.services.sync import full_scans
from followersync.services.sync import lease as leases

if TYPE_CHECKING:
    from followersync.domain.completeness import Finished
    from followersync.domain.engine import AccountState
    from followersync.services.sync.commit import PageBatch
    from followersync.services.sync.lease import Lease
    from followersync.store import FeedCounts, LockedSettings

CHANGES_OVER = timedelta(days=7)
# Many webhooks in a row cause one look per this time.
DEBOUNCE = timedelta(seconds=20)


def lock(lease: Lease) -> LockedSettings:
    """Lock the account's settings in the caller's transaction."""
    return store.lock_settings(lease.account_id, lease.at - CHANGES_OVER)


def finish(
    batch: PageBatch,
    state: AccountState,
    locked: LockedSettings,
    raised: dict[str, Any],
    page_limit: int,
) -> AccountState | None:
    """Close the run with its result, in the caller's transaction, under the lease and the gate.

    `raised`: changes of the run's row by the last pages. Returns the state to continue with where
    the first list is read a second time at once, None where the run is over.
    """
    lease, settings, now = batch.lease, locked.settings, clock.now()
    unconfirmed = _unconfirmed(batch)
    done = domain.finish_run(
        state,
        followers=settings.followers_count,
        unconfirmed=unconfirmed,
        now=int(now.timestamp()),
    )
    if done.drop_pages:
        batch.drop_pages()
    else:
        batch.put_pages()
    full_scans.mirror(
        lease.account_id,
        state,
        now,
        finished=None if done.full_scan_open else done.evidence.finished,
    )
    _store_state(settings, done, now)
    changes = {"attempts": 0} if done.confirm else _close(settings, now, mode=done.mode.value)
    counted = leases.commit(lease, **{"heartbeat_at": now, **raised, **changes})
    if done.snapshot:
        store.save_snapshot(
            settings,
            lease.run_id,
            now,
            mode=done.mode.value,
            followers=settings.followers_count,
            reported=settings.reported if locked.keeps_count else None,
            unconfirmed=unconfirmed,
            counted=counted,
            evidence=_evidence(done),
        )
    if done.confirm:
        again = _begin_second_look(done.state, settings, unconfirmed, now, page_limit)
        settings.memory = domain.dump(again)
    else:
        again = None
        settings.next_due_at = next_due(
            settings,
            now,
            changes=locked.changes + (_number_of_changes(counted) if done.snapshot else 0),
            second_look_in=done.second_look_in,
            full_scan_open=done.full_scan_open and not done.paced,
        )
        _run_again_if_woken(lease, settings, raised.get("started_at") or lease.run.started_at, now)
    store.save_run_result(settings)
    return again


def _unconfirmed(batch: PageBatch) -> int:
    if not batch.may_be_unconfirmed:
        return 0
    return Absence.objects.filter(account_id=batch.lease.account_id).count()


def _store_state(settings: SyncSettings, done: Finished, now: datetime) -> None:
    settings.memory = domain.dump(done.state)
    for newest in done.state.memory.reappearances[-1:]:
        settings.came_back_at = store.moment(newest.at)
        settings.came_back_after = newest.seconds
        settings.came_back_looks = newest.looks
    settings.complete = done.complete
    settings.reported = done.state.memory.reported
    if settings.baseline_at is None and done.snapshot and done.mode.value == Mode.FULL:
        settings.baseline_at = now


def _begin_second_look(
    state: AccountState, settings: SyncSettings, unconfirmed: int, now: datetime, page_limit: int
) -> AccountState:
    """The state of the same run's second look at the whole list."""
    return domain.begin_run(
        state,
        now=int(now.timestamp()),
        source=ListSource(page_limit=page_limit),
        followers=settings.followers_count,
        unconfirmed=unconfirmed,
        calls_left=remaining_calls(settings.pk, now).calls,
        asked=True,
    )


def finish_count(lease: Lease, reported: int, scope: Scope) -> None:
    """Close a run that read only the count, on the consent to `scope`.

    The scope is followers' where the app has no list endpoint: then the count checks imports.
    """
    with transaction.atomic():
        leases.renew(lease, clock.now())
        gate.ask(lease.account_id, scope)
        settings, changes, keeps_count = lock(lease)
        now = clock.now()
        settings.reported = reported
        closed = _close(settings, now, mode=Mode.COUNT)
        counted = leases.commit(lease, **closed, **leases.increments(calls=1))
        if keeps_count:
            listed = scope is Scope.FOLLOWERS and settings.baseline_at is not None
            store.save_snapshot(
                settings,
                lease.run_id,
                now,
                mode=Mode.COUNT,
                followers=settings.followers_count if listed else None,
                reported=reported,
                unconfirmed=0,
                counted=counted,
                evidence={},
            )
        settings.next_due_at = next_due(
            settings, now, changes=changes + _number_of_changes(counted)
        )
        _run_again_if_woken(lease, settings, lease.run.started_at, now)
        store.save_run_result(settings)


def _run_again_if_woken(
    lease: Lease, settings: SyncSettings, begun_at: datetime | None, now: datetime
) -> None:
    """A webhook during the run may be about a change that it did not see: look again.

    At once; but where a webhook had opened this run, further ones are left to the schedule.
    """
    if settings.woken_at is None or begun_at is None or settings.woken_at <= begun_at:
        return
    if lease.run.trigger == Trigger.WEBHOOK:
        settings.next_due_at = now + DEBOUNCE
        return
    run = SyncRun.objects.create(
        account_id=settings.pk, trigger=Trigger.WEBHOOK, created_at=now, enqueued_at=now
    )
    enqueue(leases.TASK, run.pk)


def next_due(
    settings: SyncSettings,
    now: datetime,
    *,
    changes: int | None = None,
    second_look_in: int | None = None,
    full_scan_open: bool = False,
) -> datetime:
    """When the account is due again, by its own rate of change and the member's interval.

    `changes`: how many there were in the last days; counted here where not given.
    """
    if changes is None:
        changes = _changes(settings, now)
    waits = settings.not_before if settings.not_before and settings.not_before > now else None
    seconds = schedule.next_due(
        now=int(now.timestamp()),
        interval_minutes=settings.interval_minutes,
        changes_per_day=changes / CHANGES_OVER.days,
        failures=settings.failures,
        not_before=int(waits.timestamp()) if waits else None,
        second_look_in=second_look_in,
        full_scan_open=full_scan_open,
        jitter=random.random(),  # noqa: S311
    )
    return store.moment(seconds)


def _changes(settings: SyncSettings, now: datetime) -> int:
    counted = FollowerSnapshot.objects.filter(
        account_id=settings.pk, at__gt=now - CHANGES_OVER
    ).aggregate(all=Sum("gained") + Sum("lost") + Sum("returned") + Sum("found"))
    return counted["all"] or 0


def _number_of_changes(counted: FeedCounts) -> int:
    """The number of changes, as in `_changes`."""
    return counted.gained + counted.lost + counted.returned + counted.found


def _close(settings: SyncSettings, now: datetime, *, mode: str) -> dict[str, Any]:
    """The changes of the run's row by a success; also updates the settings."""
    settings.last_synced_at = max(now, settings.last_synced_at or now)
    settings.failures = 0
    settings.not_before = None
    return {
        "state": SyncRun.State.SUCCEEDED,
        "finished_at": now,
        "worker": None,
        "mode": mode,
        "heartbeat_at": now,
    }


def _evidence(done: Finished) -> dict[str, Any]:
    """What proves the verdicts, without Instagram's own count, which only the snapshot may keep."""
    found = asdict(done.evidence)
    found["why"] = str(done.why.value) if done.why else None
    return found
