"""Error policy: what each class of error does to a run. None of them ever loses a follower."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import translation

from accounts import clock
from accounts.errors import (
    Conflict,
    ConsentMissing,
    NeedsReconnect,
    NotFound,
    RetryLater,
    ThreadsiteError,
    UnlinkedByInstagram,
    WaitUntil,
)
from accounts.instagram.gateway import usage_of
from accounts.models import LinkedAccount
from accounts.services import linking
from followersync.domain import schedule
from followersync.errors import LostClaim
from followersync.models import SyncRun, SyncSettings
from followersync.services import call_budget
from followersync.services.sync import lease as leases
from followersync.services.sync.finish import next_due

if TYPE_CHECKING:
    from followersync.services.sync.lease import Lease

logger = logging.getLogger(__name__)

# Retries of a run; after that the next run comes on schedule.
ATTEMPTS = 8


def react(lease: Lease, error: ThreadsiteError, *, calls: int) -> None:
    """Do what the class of `error` requires. `calls`: made since the last commit."""
    try:
        if isinstance(error, WaitUntil):
            call_budget.block(lease.account_id, error.at, usage_of(error))
            _wait(lease, error, error.at, calls)
        elif isinstance(error, RetryLater):
            _retry(lease, error, calls)
        elif isinstance(error, UnlinkedByInstagram):
            _fail(lease, error, calls, again=False)
            linking.unlink(account=_account(lease), erase="now", channel="instagram")
        elif isinstance(error, NeedsReconnect):
            _fail(lease, error, calls, again=False)
            linking.mark_needs_reconnect(account=_account(lease), reason=error.reason)
        elif isinstance(error, NotFound | Conflict | ConsentMissing):
            _cancel(lease, error)
        else:
            _fail(lease, error, calls, again=True)
    except LostClaim:
        logger.info("run %s was ended by somebody else", lease.run_id)


def fail_by_bug(lease: Lease) -> None:
    """An unforeseen error of ours: the run fails, the account is tried again later."""
    error = ThreadsiteError("bug")
    try:
        _fail(lease, error, 0, again=True)
    except LostClaim:
        logger.info("run %s was ended by somebody else", lease.run_id)


def _account(lease: Lease) -> LinkedAccount:
    return LinkedAccount.objects.get(pk=lease.account_id)


def _wait(lease: Lease, error: ThreadsiteError, until: datetime, calls: int) -> None:
    """Free the worker; the dispatcher enqueues the run again."""
    with transaction.atomic():
        leases.commit(
            lease,
            **leases.increments(calls=calls, attempts=1),
            state=SyncRun.State.WAITING,
            not_before=until,
            worker=None,
            error_code=error.code,
        )
        SyncSettings.objects.filter(pk=lease.account_id).update(not_before=until)


def _retry(lease: Lease, error: RetryLater, calls: int) -> None:
    attempts = SyncRun.objects.values_list("attempts", flat=True).get(pk=lease.run_id) + 1
    if attempts >= ATTEMPTS:
        _fail(lease, error, calls, again=True)
        return
    pause = schedule.retry_pause(attempts, random.random())  # noqa: S311
    until = clock.now() + timedelta(seconds=pause)
    _wait(lease, error, until, calls)


def _cancel(lease: Lease, error: ThreadsiteError) -> None:
    """The gate is closed: paused, unlinked, or consent withdrawn."""
    now = clock.now()
    with transaction.atomic():
        leases.commit(
            lease,
            state=SyncRun.State.CANCELLED,
            finished_at=now,
            worker=None,
            error_code=error.code,
            heartbeat_at=now,
        )
        SyncSettings.objects.filter(pk=lease.account_id).update(next_due_at=None, not_before=None)


def _fail(lease: Lease, error: ThreadsiteError, calls: int, *, again: bool) -> None:
    now = clock.now()
    with translation.override("en"):
        detail = str(error.detail)
    with transaction.atomic():
        leases.commit(
            lease,
            **leases.increments(calls=calls),
            state=SyncRun.State.FAILED,
            finished_at=now,
            worker=None,
            error_code=error.code,
            error_detail=detail,
            heartbeat_at=now,
        )
        settings = SyncSettings.objects.select_for_update().get(pk=lease.account_id)
        settings.failures += 1
        settings.not_before = None
        settings.next_due_at = next_due(settings, now) if again else None
        settings.save(update_fields=["failures", "not_before", "next_due_at"])
    logger.warning("run %s failed: %s", lease.run_id, error.code)
