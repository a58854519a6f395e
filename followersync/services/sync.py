"""Bringing one account up to date: ask for it, advance it in slices, stop it.

The domain says what to do next (read the count, read a page, judge, finish); here it is done.
Before every request and every commit the gate is asked again.
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
from followersync.services import claims, reactions
from followersync.services.session import Session
from followersync.services.settings import settings_of
from followersync.sources.edge import EdgeSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from followersync.services.claims import Claim

logger = logging.getLogger(__name__)

TASK = claims.TASK
SLICE_SECONDS = 20.0
#: Each pays for syncs: followers' for the list, checked by the count; profile's for the count.
SYNCED_BY = frozenset({Scope.FOLLOWERS, Scope.PROFILE})


def request_sync(*, account: LinkedAccount, trigger: str) -> SyncRun:
    """Open a run and ring the queue; one that waits to repeat a failed request goes on at once.

    Raises SyncRunning (with the open run), Conflict where the account is paused, unlinked, needs
    reconnecting or is kept by archives, ConsentMissing without consent to list or count.
    """
    # Whoever asks may hold the account as it was when their page was drawn.
    _refuse(LinkedAccount.objects.get(pk=account.pk))
    settings_of(account)
    with transaction.atomic():
        run, is_new = claims.open_run(account, trigger=trigger)
        if not is_new and not _woken(run):
            raise SyncRunning(run)
        enqueue(TASK, run.pk)
    return run


def _woken(run: SyncRun) -> bool:
    """Whether the run was only pausing after a passing fault, a pause of our own choosing.

    Who asks for a sync then wants the next try now. A limit that Instagram set is waited out.
    """
    woken = SyncRun.objects.filter(
        pk=run.pk, state=SyncRun.State.WAITING, error_code=RetryLater.code
    ).update(state=SyncRun.State.QUEUED, not_before=None, rung_at=clock.now())
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


def cancel_open_runs(account: LinkedAccount) -> int:
    """Stop whatever runs, at once: a worker in the middle of it commits nothing more."""
    return claims.cancel_open(account)


def advance(
    run_id: int,
    *,
    max_seconds: float = SLICE_SECONDS,
    watch: Callable[[dict[str, int | None]], None] | None = None,
) -> bool:
    """Work on a run for about `max_seconds`; True: there is more to do now, ring again.

    False: it is finished, waits, was cancelled, or somebody else works on it. `watch` is told
    the progress after each step.
    """
    held = claims.claim(run_id)
    if held is None:
        return False
    session: Session | None = None
    try:
        session = _open(held)
        finished = session.work(time.monotonic() + max_seconds, watch)
    except ThreadsiteError as error:
        reactions.react(held, error, calls=session.unbooked_calls if session else 0)
        return False
    except LostClaim:
        logger.info("run %s was ended by somebody else", run_id)
        return False
    except GONE as error:
        return claims.go_on_later(held, error)
    except Exception:
        reactions.fail_by_bug(held)
        raise
    finally:
        if session is not None:
            session.close()
    if not finished:
        claims.release(held)
    return not finished


def _open(held: Claim) -> Session:
    """The list where the member allows it; else the count alone, where they allow that."""
    try:
        account, token = gate.admit(held.account_id, Scope.FOLLOWERS, held.at)
    except ConsentMissing:
        account, token = gate.admit(held.account_id, Scope.PROFILE, held.at)
        return Session(held, EdgeSource(account, token, count_only=True), Scope.PROFILE)
    return Session(held, EdgeSource(account, token))
