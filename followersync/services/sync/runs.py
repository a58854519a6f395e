"""Sync runs: request one for an account, advance it in slices, cancel it.

The domain says what to do next (read the count, read a page, judge, finish); the scanner does it.
The gate is checked before every request and every commit.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.connectivity import GONE
from accounts.errors import Conflict, ConsentMissing, RetryLater, ThreadsiteError
from accounts.models import LinkedAccount
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.selectors import consents_in_force
from accounts.services import gate
from followersync.errors import LostClaim, SyncRunning
from followersync.models import SyncRun, SyncSettings
from followersync.services.sync import error_policy
from followersync.services.sync import lease as leases
from followersync.services.sync.scanner import Scanner
from followersync.services.sync.settings import settings_of
from followersync.sources.edge import EdgeSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from followersync.services.sync.lease import Lease

logger = logging.getLogger(__name__)

TASK = leases.TASK
SLICE_SECONDS = 20.0
#: Each covers syncs: followers' for the list, checked by the count; profile's for the count.
SYNCED_BY = frozenset({Scope.FOLLOWERS, Scope.PROFILE})


def request_sync(*, account: LinkedAccount, trigger: str) -> SyncRun:
    """Open a run and enqueue it; one that waits to repeat a failed request continues at once.

    Raises SyncRunning (with the open run), Conflict where the account is paused, unlinked, needs
    reconnecting or is kept by archives, ConsentMissing without consent to list or count.
    """
    # The caller's account may be as old as their page.
    _refuse(LinkedAccount.objects.get(pk=account.pk))
    settings_of(account)
    with transaction.atomic():
        run, is_new = leases.open_run(account, trigger=trigger)
        if not is_new and not _woken(run):
            raise SyncRunning(run)
        enqueue(TASK, run.pk)
    return run


def _woken(run: SyncRun) -> bool:
    """Whether the run was only pausing after a passing fault, a pause of our own choosing.

    A request for a sync then starts the next try now. A limit that Instagram set is waited out.
    """
    woken = SyncRun.objects.filter(
        pk=run.pk, state=SyncRun.State.WAITING, error_code=RetryLater.code
    ).update(state=SyncRun.State.QUEUED, not_before=None, enqueued_at=clock.now())
    if woken:
        SyncSettings.objects.filter(pk=run.account_id).update(not_before=None)
        run.refresh_from_db()
    return bool(woken)


def _refuse(account: LinkedAccount) -> None:
    if account.state == "unlinked":
        raise Conflict("unlinked", _("This account is unlinked. Link it again to sync it."))
    if account.state == "paused":
        raise Conflict("paused", _("This account is paused. Resume it to sync it."))
    if account.state == "needs_reconnect":
        raise Conflict(
            "needs_reconnect",
            _("Instagram no longer lets us in. Reconnect this account to sync it."),
        )
    if not account.is_proven:
        raise Conflict(
            "no_list_source",
            _("This account is kept by archives alone. Import a new one to bring it up to date."),
        )
    if not consents_in_force(account) & SYNCED_BY:
        raise ConsentMissing(Scope.FOLLOWERS)


def advance(
    run_id: int,
    *,
    max_seconds: float = SLICE_SECONDS,
    watch: Callable[[dict[str, int | None]], None] | None = None,
) -> bool:
    """Advance a run for about `max_seconds`; True: more can be done now, enqueue it again.

    False: it is finished, waits, was cancelled, or another worker has it. `watch` is called with
    the progress after each step.
    """
    lease = leases.take(run_id)
    if lease is None:
        return False
    session: Scanner | None = None
    try:
        session = _open(lease)
        finished = session.work(time.monotonic() + max_seconds, watch)
    except ThreadsiteError as error:
        error_policy.react(lease, error, calls=session.unbooked_calls if session else 0)
        return False
    except LostClaim:
        logger.info("run %s was ended by somebody else", run_id)
        return False
    except GONE as error:
        return leases.wait_out_outage(lease, error)
    except Exception:
        error_policy.fail_by_bug(lease)
        raise
    finally:
        if session is not None:
            session.close()
    if not finished:
        leases.release(lease)
    return not finished


def _open(lease: Lease) -> Scanner:
    """The source of the list where the member allows it; else of the count, if allowed."""
    try:
        account, token = gate.admit(lease.account_id, Scope.FOLLOWERS, lease.at)
    except ConsentMissing:
        account, token = gate.admit(lease.account_id, Scope.PROFILE, lease.at)
        return Scanner(lease, EdgeSource(account, token, count_only=True), Scope.PROFILE)
    return Scanner(lease, EdgeSource(account, token))
