"""What each class of error does to a run. None of them ever loses a follower."""

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
from followersync.services import budget, claims
from followersync.services.finishing import next_due

if TYPE_CHECKING:
    from followersync.services.claims import Claim

logger = logging.getLogger(__name__)

# So often a run tries again by itself; the next one comes on schedule.
ATTEMPTS = 8


def react(held: Claim, error: ThreadsiteError, *, calls: int) -> None:
    """Do what `error` asks for. `calls`: made since the last commit, for the books."""
    try:
        if isinstance(error, WaitUntil):
            budget.block(held.account_id, error.at, usage_of(error))
            _wait(held, error, error.at, calls)
        elif isinstance(error, RetryLater):
            _retry(held, error, calls)
        elif isinstance(error, UnlinkedByInstagram):
            _fail(held, error, calls, again=False)
            linking.unlink(account=_account(held), erase="now", channel="instagram")
        elif isinstance(error, NeedsReconnect):
            _fail(held, error, calls, again=False)
            linking.mark_needs_reconnect(account=_account(held), reason=error.reason)
        elif isinstance(error, NotFound | Conflict | ConsentMissing):
            _cancel(held, error)
        else:
            _fail(held, error, calls, again=True)
    except LostClaim:
        logger.info("run %s was ended by somebody else", held.run_id)


def fail_by_bug(held: Claim) -> None:
    """An error of ours that nobody foresaw: the run ends, the account is tried again later."""
    error = ThreadsiteError("bug")
    try:
        _fail(held, error, 0, again=True)
    except LostClaim:
        logger.info("run %s was ended by somebody else", held.run_id)


def _account(held: Claim) -> LinkedAccount:
    return LinkedAccount.objects.get(pk=held.account_id)


def _wait(held: Claim, error: ThreadsiteError, until: datetime, calls: int) -> None:
    """Free the worker; the dispatcher rings again."""
    with transaction.atomic():
        claims.fence(
            held,
            **claims.added(calls=calls, attempts=1),
            state=SyncRun.State.WAITING,
            not_before=until,
            worker=None,
            error_code=error.code,
        )
        SyncSettings.objects.filter(pk=held.account_id).update(not_before=until)


def _retry(held: Claim, error: RetryLater, calls: int) -> None:
    attempts = SyncRun.objects.values_list("attempts", flat=True).get(pk=held.run_id) + 1
    if attempts >= ATTEMPTS:
        _fail(held, error, calls, again=True)
        return
    pause = schedule.retry_pause(attempts, random.random())  # noqa: S311
    until = clock.now() + timedelta(seconds=max(pause, error.seconds or 0))
    _wait(held, error, until, calls)


def _cancel(held: Claim, error: ThreadsiteError) -> None:
    """The gate is closed: paused, unlinked, or consent withdrawn."""
    now = clock.now()
    with transaction.atomic():
        claims.fence(
            held,
            state=SyncRun.State.CANCELLED,
            finished_at=now,
            worker=None,
            error_code=error.code,
            heartbeat_at=now,
        )
        SyncSettings.objects.filter(pk=held.account_id).update(next_due_at=None, not_before=None)


def _fail(held: Claim, error: ThreadsiteError, calls: int, *, again: bool) -> None:
    now = clock.now()
    with translation.override("en"):
        detail = str(error.detail)
    with transaction.atomic():
        claims.fence(
            held,
            **claims.added(calls=calls),
            state=SyncRun.State.FAILED,
            finished_at=now,
            worker=None,
            error_code=error.code,
            error_detail=detail,
            heartbeat_at=now,
        )
        settings = SyncSettings.objects.select_for_update().get(pk=held.account_id)
        settings.failures += 1
        settings.not_before = None
        settings.next_due_at = next_due(settings, now) if again else None
        settings.save(update_fields=["failures", "not_before", "next_due_at"])
    logger.warning("run %s failed: %s", held.run_id, error.code)
