"""Overview of an account: whether its list is current, since when, and what is next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from accounts import clock
from accounts.errors import NotFound
from accounts.scopes import Scope
from accounts.selectors import consent_in_force, consents_in_force
from followersync import store
from followersync.domain import engine as domain
from followersync.models import SyncRun, SyncSettings
from followersync.models.settings import DEFAULT_INTERVAL
from followersync.selectors.answers import Overview
from followersync.selectors.call_budget import remaining_calls

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.models import LinkedAccount

#: How many runs an overview shows.
NEWEST_RUNS = 5


def runs(account: LinkedAccount) -> QuerySet[SyncRun]:
    """Newest first."""
    return SyncRun.objects.filter(account=account).order_by("-id")


def run_of(account: LinkedAccount, run_id: int) -> SyncRun:
    """Raises NotFound for another account's run."""
    try:
        return SyncRun.objects.get(account=account, pk=run_id)
    except SyncRun.DoesNotExist:
        raise NotFound from None


def overview(account: LinkedAccount) -> Overview:
    """The overview, in a few small queries whatever the size of the list."""
    settings = store.sync_settings(account.pk)
    newest = store.newest_runs(account.pk, NEWEST_RUNS)
    running, last_run = _running_and_last(newest)
    unconfirmed, unconfirmed_since = store.unconfirmed(account.pk)
    budget = remaining_calls(account.pk, clock.now())
    allowed = consents_in_force(account)
    shows_count = Scope.PROFILE in allowed
    known = settings if settings is not None and settings.last_synced_at else None
    return Overview(
        followers=known.followers_count if known and known.baseline_at else None,
        reported=settings.reported if settings and shows_count else None,
        unconfirmed=unconfirmed,
        unconfirmed_since=unconfirmed_since,
        complete=bool(settings and settings.complete),
        baseline_at=settings.baseline_at if settings else None,
        last_synced_at=settings.last_synced_at if settings else None,
        next_sync_at=settings.next_due_at if settings and account.state == "active" else None,
        running=running,
        last_run=last_run,
        interval_minutes=settings.interval_minutes if settings else DEFAULT_INTERVAL,
        failures=settings.failures if settings else 0,
        waiting_until=_waiting_until(settings, running) or budget.until,
        gap=_gap(settings) if shows_count else None,
        calls_left=budget.calls,
        expected=_expected(settings) if running and shows_count else None,
        reads_list=Scope.FOLLOWERS in allowed,
        shows_count=shows_count,
        shows_insights=Scope.INSIGHTS in allowed,
        newest_runs=newest,
    )


def _running_and_last(newest: Sequence[SyncRun]) -> tuple[SyncRun | None, SyncRun | None]:
    """The open run and the last; an open run is always the newest."""
    if newest and newest[0].is_open:
        return newest[0], newest[1] if len(newest) > 1 else None
    return None, newest[0] if newest else None


def expected(account_id: int) -> int | None:
    """About how many people the open run will see, by Instagram's count; None as for `reported`.

    It is stored in the state of the open run only.
    """
    if not consent_in_force(account_id, Scope.PROFILE):
        return None
    return _expected(SyncSettings.objects.filter(pk=account_id).first())


def _expected(settings: SyncSettings | None) -> int | None:
    if settings is None or not settings.memory:
        return None
    return domain.progress(domain.load(settings.memory)).expected


def _waiting_until(settings: SyncSettings | None, running: SyncRun | None) -> datetime | None:
    if running is not None and running.state == SyncRun.State.WAITING:
        return running.not_before
    return settings.not_before if settings else None


def _gap(settings: SyncSettings | None) -> int | None:
    if settings is None or settings.reported is None or not settings.complete:
        return None
    return settings.reported - settings.followers_count
