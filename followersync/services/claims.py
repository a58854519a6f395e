"""Who works on a run: at most one worker, found dead by its heartbeat.

The claim is a conditional UPDATE, and each commit is fenced by one: a run that was cancelled or
taken over meanwhile changes no row, and what was not committed is dropped.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from accounts import clock, counters
from followersync import store
from followersync.errors import LostClaim
from followersync.models import Mode, SyncRun

if TYPE_CHECKING:
    from accounts.models import LinkedAccount
    from followersync.store import Counted

# Above the longest silence of a living worker, who renews it before each request: a request
# (25 s) or a commit. Should one be silent for longer, the fence keeps what it did from counting
# twice.
LEASE = timedelta(seconds=30)
TASK = "followersync.tasks.advance_run"

State = SyncRun.State
REPORTED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.WAITING})


@dataclass(frozen=True, slots=True)
class Claim:
    run_id: int
    account_id: int
    worker: uuid.UUID
    run: SyncRun = field(compare=False, repr=False)
    at: datetime = field(compare=False, repr=False)


def claimable(now: datetime) -> Q:
    """Runs that nobody works on, and that may go on now; `store.take` asks the same of one."""
    return (
        Q(state=State.QUEUED)
        | Q(state=State.WAITING, not_before__lte=now)
        | Q(state=State.RUNNING, worker__isnull=True)
        | Q(state=State.RUNNING, heartbeat_at__lt=now - clock.for_real(LEASE))
    )


def claim(run_id: int) -> Claim | None:
    """Take the run, unless somebody else has it or it is closed."""
    now, worker = clock.now(), uuid.uuid4()
    run = store.take(run_id, worker, now, now - clock.for_real(LEASE))
    return None if run is None else Claim(run_id, run.account_id, worker, run, now)


def hold(held: Claim, now: datetime) -> None:
    """Lock the run until the commit. Raises LostClaim if it is not ours."""
    if not store.hold(held.run_id, held.worker, now):
        raise LostClaim


def fence(held: Claim, **changes: Any) -> Counted:
    """As `hold`, and write `changes`; answers what the run has counted so far."""
    if "heartbeat_at" not in changes:
        changes["heartbeat_at"] = clock.now()
    counted = store.change(held.run_id, held.worker, changes)
    if counted is None:
        raise LostClaim
    if changes.get("state") in REPORTED:
        _report(held, str(changes["state"]), str(changes.get("error_code", "")))
    return counted


def _report(held: Claim, state: str, code: str) -> None:
    """Count what became of a run, once that is committed."""
    kind = "import" if held.run.mode == Mode.IMPORT else "sync"
    transaction.on_commit(
        lambda: counters.count("runs", kind=kind, state=state, code=code or "none")
    )


def added(**counts: int) -> dict[str, Any]:
    """Changes for `fence` that raise counters."""
    return {name: store.More(count) for name, count in counts.items() if count}


def release(held: Claim) -> None:
    """Let the next worker take the run without waiting for the lease to end."""
    SyncRun.objects.filter(pk=held.run_id, worker=held.worker).update(worker=None)


def wait_for_commits(account: LinkedAccount) -> None:
    """Let a commit that is under way end, and none begin before the caller's own."""
    list(
        SyncRun.objects.select_for_update()
        .filter(account=account, state__in=SyncRun.OPEN)
        .values_list("pk")
    )


def cancel_open(account: LinkedAccount) -> int:
    """Close whatever is open; a worker in the middle of it finds out at its next commit."""
    return SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN).update(
        state=State.CANCELLED, finished_at=clock.now(), worker=None, not_before=None
    )
