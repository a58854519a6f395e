"""Leases: one worker's right to advance a run, which ends when its heartbeat stops.

A lease is taken and renewed by a conditional UPDATE, also in each commit: for a run that was
cancelled or taken over meanwhile it changes no row, and uncommitted work is dropped.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import clock, counters
from accounts.connectivity import GONE, wait_for_database
from accounts.queue import new_worker_id
from followersync import store
from followersync.errors import LostClaim
from followersync.models import Mode, SyncRun

if TYPE_CHECKING:
    from accounts.models import LinkedAccount
    from followersync.store import FeedCounts

# Above the longest silence of a living worker, which renews it before each request: a request
# (25 s) or a commit. If one is silent for longer, its commit fails, so that no work counts twice.
LEASE = timedelta(seconds=30)
OPENING_TRIES = 10
#: The queue ends a task after 120 s; a slice and this wait together stay below.
OUTAGE_SECONDS = 60.0
#: A task may wait so long for each of several runs; all together stay below as well.
TAKE_SECONDS = 10.0
TASK = "followersync.tasks.advance_run"

logger = logging.getLogger(__name__)
State = SyncRun.State
REPORTED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.WAITING})


@dataclass(frozen=True, slots=True)
class Lease:
    run_id: int
    account_id: int
    worker: uuid.UUID
    run: SyncRun = field(compare=False, repr=False)
    at: datetime = field(compare=False, repr=False)


def open_run(account: LinkedAccount, **fields: Any) -> tuple[SyncRun, bool]:
    """Open a run; returns the one that is already open (and False) where there is one."""
    tries = 0
    while True:
        now, tries = clock.now(), tries + 1
        try:
            with transaction.atomic():
                run = SyncRun.objects.create(
                    account=account, created_at=now, enqueued_at=now, **fields
                )
                return run, True
        except IntegrityError:
            running = SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN).first()
            if running is not None:
                return running, False
            # It has ended since the database refused a second one.
            if tries == OPENING_TRIES:
                raise


def free(now: datetime) -> Q:
    """Runs that no worker has, and that may continue now, as in `store.take_lease`."""
    return (
        Q(state=State.QUEUED)
        | Q(state=State.WAITING, not_before__lte=now)
        | Q(state=State.RUNNING, worker__isnull=True)
        | Q(state=State.RUNNING, heartbeat_at__lt=now - clock.for_real(LEASE))
    )


def take(run_id: int) -> Lease | None:
    """Take the run's lease, unless another worker has it or the run is closed.

    A connection that broke while idle is opened again.
    """
    try:
        return _take(run_id)
    except GONE:
        if not wait_for_database(TAKE_SECONDS):
            raise
        return _take(run_id)


def _take(run_id: int) -> Lease | None:
    now, worker = clock.now(), new_worker_id()
    run = store.take_lease(run_id, worker, now, now - clock.for_real(LEASE))
    return None if run is None else Lease(run_id, run.account_id, worker, run, now)


def renew(lease: Lease, now: datetime) -> None:
    """Lock the run until the commit. Raises LostClaim if its lease is not ours."""
    if not store.renew_lease(lease.run_id, lease.worker, now):
        raise LostClaim


def commit(lease: Lease, **changes: Any) -> FeedCounts:
    """Renew the lease and write `changes` of the run's row; returns the run's counts so far.

    Raises LostClaim.
    """
    if "heartbeat_at" not in changes:
        changes["heartbeat_at"] = clock.now()
    counted = store.change_run(lease.run_id, lease.worker, changes)
    if counted is None:
        raise LostClaim
    if changes.get("state") in REPORTED:
        _report(lease, str(changes["state"]), str(changes.get("error_code", "")))
    return counted


def _report(lease: Lease, state: str, code: str) -> None:
    """Count the run's outcome in the metrics, once it is committed."""
    kind = "import" if lease.run.mode == Mode.IMPORT else "sync"
    transaction.on_commit(
        lambda: counters.count("runs", kind=kind, state=state, code=code or "none")
    )


def increments(**counts: int) -> dict[str, Any]:
    """Changes for `commit` that raise counters."""
    return {name: store.Increment(count) for name, count in counts.items() if count}


def release(lease: Lease) -> None:
    """Let the next worker take the run without waiting for the end of the lease."""
    SyncRun.objects.filter(pk=lease.run_id, worker=lease.worker).update(worker=None)


def wait_out_outage(lease: Lease, error: Exception) -> bool:
    """The database went away: wait for it, and let the run continue where it was.

    False where the database stays away: then the lease ends by itself.
    """
    logger.warning("run %s is interrupted (%s)", lease.run_id, type(error).__name__)
    back = wait_for_database(OUTAGE_SECONDS)
    if back:
        release(lease)
    return back


def end_leases(lowest: uuid.UUID, highest: uuid.UUID) -> int:
    """Release the runs of workers that are known to be dead; the next tick enqueues them again."""
    return SyncRun.objects.filter(
        state=State.RUNNING, worker__gte=lowest, worker__lte=highest
    ).update(worker=None, enqueued_at=None)


def wait_for_commits(account: LinkedAccount) -> None:
    """Wait for a commit in progress, and let none begin before the caller's own."""
    list(
        SyncRun.objects.select_for_update()
        .filter(account=account, state__in=SyncRun.OPEN)
        .values_list("pk")
    )


def cancel_open(account: LinkedAccount) -> int:
    """Close open runs; a worker in the middle of one finds out at its next commit."""
    return SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN).update(
        state=State.CANCELLED, finished_at=clock.now(), worker=None, not_before=None
    )
