"""Dispatcher: opens sync runs for due accounts, and enqueues stuck runs again.

Due and stuck runs are found in our own rows, so a task that the queue loses is only late.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from accounts import clock
from accounts.queue import enqueue
from accounts.selectors import accounts_with_consent
from followersync import store
from followersync.models import SyncRun, SyncSettings, Trigger
from followersync.services.sync import lease
from followersync.services.sync.runs import SYNCED_BY, TASK

logger = logging.getLogger(__name__)

TICK = "followersync.tasks.tick"
TASK_FOR_MANY = "followersync.tasks.advance_runs"
BATCH = 100
# Runs per task; a task must end well within the queue's timeout.
RUNS_PER_TASK = 16
MOST_PER_TICK = 20_000
# Per member and batch; their other accounts follow in the next batch.
PER_OWNER = 2
# A task enqueued so long ago was lost.
PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class TickResult:
    opened: int
    enqueued: int


def tick() -> TickResult:
    """Enqueue stuck runs, then open due ones, batch after batch."""
    enqueued = _repeat(enqueue_stuck)
    opened = _repeat(open_due)
    if opened or enqueued:
        logger.info("opened %d runs, enqueued %d again", opened, enqueued)
    return TickResult(opened=opened, enqueued=enqueued)


def _repeat(step: Callable[[], int]) -> int:
    """Repeat `step` until it finds nothing more; bounded, since other ticks follow."""
    total = 0
    while total < MOST_PER_TICK:
        done = step()
        total += done
        if not done:
            break
    return total


@transaction.atomic
def open_due() -> int:
    """Open and enqueue a batch of runs; returns how many."""
    now = clock.now()
    due = _allowed(store.claim_due(now, BATCH, PER_OWNER))
    # A member may request one at this moment: theirs is used, and no other account waits.
    SyncRun.objects.bulk_create(
        [
            SyncRun(
                account_id=account_id, trigger=Trigger.SCHEDULE, created_at=now, enqueued_at=now
            )
            for account_id in due
        ],
        ignore_conflicts=True,
    )
    opened = SyncRun.objects.filter(
        account_id__in=due, state=SyncRun.State.QUEUED, trigger=Trigger.SCHEDULE, created_at=now
    )
    runs = list(opened.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(runs), RUNS_PER_TASK):
        enqueue(TASK_FOR_MANY, *runs[start : start + RUNS_PER_TASK])
    return len(runs)


def _allowed(due: list[int]) -> list[int]:
    """The accounts with consent to a sync; the others are no longer due until they have one."""
    allowed = accounts_with_consent(due, SYNCED_BY) if due else set()
    SyncSettings.objects.filter(pk__in=set(due) - allowed).update(next_due_at=None)
    return [account_id for account_id in due if account_id in allowed]


def enqueue_waiting() -> int:
    """Mark all waiting runs as not enqueued, since the queue may have lost its tasks.

    The next tick enqueues them. Returns how many.
    """
    waiting = SyncRun.objects.filter(state=SyncRun.State.QUEUED).update(enqueued_at=None)
    if SyncRun.objects.filter(state__in=SyncRun.OPEN).exists():
        enqueue(TICK)
    return waiting


@transaction.atomic
def enqueue_stuck() -> int:
    """Enqueue a batch of runs again that could continue and that no worker has taken."""
    now = clock.now()
    # After the end of a wait or a lease there is no task yet: the last one is older.
    without_task = (
        Q(enqueued_at__isnull=True)
        | Q(enqueued_at__lt=now - clock.for_real(PATIENCE))
        | Q(state=SyncRun.State.WAITING, enqueued_at__lt=F("not_before"))
        | Q(
            state=SyncRun.State.RUNNING,
            worker__isnull=False,
            enqueued_at__lt=F("heartbeat_at") + clock.for_real(lease.LEASE),
        )
    )
    stuck = list(
        SyncRun.objects.select_for_update(skip_locked=True)
        .filter(lease.free(now), without_task)
        .order_by("pk")
        .values_list("pk", flat=True)[:BATCH]
    )
    SyncRun.objects.filter(pk__in=stuck).update(enqueued_at=now)
    for run_id in stuck:
        enqueue(TASK, run_id)
    return len(stuck)
