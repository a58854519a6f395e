"""Insights: reads Instagram's daily totals and demographics, and backfills past days."""

from __future__ import annotations

import logging
import random
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import clock, registry, signals
from accounts.errors import (
    NeedsReconnect,
    PermissionMissing,
    RetryLater,
    ThreadsiteError,
    UnlinkedByInstagram,
    WaitUntil,
)
from accounts.models import LinkedAccount
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.selectors import consent_in_force, in_force
from accounts.services import gate, linking, tokens
from followersync.models import DailyTotal, Demographics, FollowerSnapshot, InsightsReading
from followersync.services import call_budget
from followersync.sources.insights import (
    BREAKDOWNS,
    KEPT_DAYS,
    LATE_DAYS,
    InsightsSource,
    days_to_read,
)

if TYPE_CHECKING:
    from followersync.sources.insights import DayTotals, Share

logger = logging.getLogger(__name__)

TASK = "followersync.tasks.read_insights"
INTERVAL = timedelta(hours=12)
LEASE = timedelta(minutes=15)
RETRY = timedelta(minutes=30)
BATCH = 100
# Calls per turn; the backfill takes several, so that the list keeps most of the budget.
DAYS_PER_TURN = 15
ALLOWED = in_force(Scope.INSIGHTS, '"followersync_insightsreading"."account_id"')


def connect() -> None:
    """Connect the receivers; called once, when the app is ready."""
    signals.consent_granted.connect(_on_granted, dispatch_uid="followersync.insights")
    signals.account_reconnected.connect(_on_reconnected, dispatch_uid="followersync.insights")
    signals.consent_withdrawn.connect(_on_withdrawn, dispatch_uid="followersync.insights")
    signals.account_unlinked.connect(_on_unlinked, dispatch_uid="followersync.insights")


def register() -> None:
    """The figures are erased with the account, and with the consent that covered them."""
    for kind, model in (
        ("daily_totals", DailyTotal),
        ("demographics", Demographics),
        ("insights_readings", InsightsReading),
    ):
        erase = partial(_erase, model)
        registry.register_eraser(kind, erase)
        registry.register_scope_eraser(Scope.INSIGHTS, kind, erase)
    registry.register_exporter("daily_totals", _exported)


def begin(account: LinkedAccount) -> None:
    """Read them now and from now on; if the task gets lost, the tick enqueues it."""
    InsightsReading.objects.update_or_create(
        account=account,
        defaults={
            "next_due_at": clock.now() + clock.for_real(LEASE),
            "failures": 0,
            "error_code": "",
        },
    )
    enqueue(TASK, account.pk)


@transaction.atomic
def tick() -> int:
    """Enqueue a batch of accounts that are due; returns how many. The lease ends by itself."""
    now = clock.now()
    due = list(
        InsightsReading.objects.select_for_update(skip_locked=True)
        .filter(ALLOWED, next_due_at__lte=now)
        .order_by("next_due_at")
        .values_list("pk", flat=True)[:BATCH]
    )
    InsightsReading.objects.filter(pk__in=due).update(next_due_at=now + clock.for_real(LEASE))
    for account_id in due:
        enqueue(TASK, account_id)
    return len(due)


def read(account_id: int) -> bool:
    """One turn: the newest days, some past ones, and demographics once a day. True: more
    remains."""
    state = InsightsReading.objects.filter(pk=account_id).first()
    if state is None:
        return False
    try:
        account = gate.check(account_id, Scope.INSIGHTS)
        source = InsightsSource(
            account, tokens.usable_token(account_id), note=partial(call_budget.note, account_id)
        )
        days = _read_days(account, source, state)
        _read_demographics(account, source)
    except ThreadsiteError as error:
        _react(state, error)
        return False
    more = days == DAYS_PER_TURN
    _schedule_next(state, timedelta(minutes=1) if more else INTERVAL)
    return more


def _read_days(account: LinkedAccount, source: InsightsSource, state: InsightsReading) -> int:
    """Read the wanted days, and store each at once; returns how many."""
    today = clock.now().astimezone(UTC).date()
    known = set(
        DailyTotal.objects.filter(
            account=account, day__gte=today - timedelta(days=KEPT_DAYS), gained__isnull=False
        ).values_list("day", flat=True)
    )
    if consent_in_force(account.pk, Scope.PROFILE):
        _keep_counts(account, today)
    _count_today(account, source, today)
    days = days_to_read(today, known, state.oldest_tried, most=DAYS_PER_TURN)
    for day in days:
        call_budget.take(account.pk, 1)
        gate.check(account.pk, Scope.INSIGHTS)
        totals = source.day(day)
        with transaction.atomic():
            gate.check(account.pk, Scope.INSIGHTS)
            _store(account, day, totals)
            if (today - day).days > LATE_DAYS:
                state.oldest_tried = min(day, state.oldest_tried or day)
                state.save(update_fields=["oldest_tried"])
    return len(days)


def _store(account: LinkedAccount, day: date, totals: DayTotals) -> None:
    """An unknown value never overwrites a known one."""
    if totals.known:
        said = {name: value for name, value in asdict(totals).items() if value is not None}
        DailyTotal.objects.update_or_create(
            account=account, day=day, defaults={**said, "read_at": clock.now()}
        )


def _keep_counts(account: LinkedAccount, today: date) -> None:
    """Store our own daily count: the last that a sync read on each day, without a further call.

    Only where the member allows keeping what a sync reads of it.
    """
    since = datetime.combine(today - timedelta(days=LATE_DAYS), datetime.min.time(), UTC)
    read = FollowerSnapshot.objects.filter(
        account=account, at__gte=since, reported__isnull=False
    ).exclude(mode="import")
    for at, reported in read.order_by("at").values_list("at", "reported"):
        DailyTotal.objects.update_or_create(
            account=account,
            day=at.astimezone(UTC).date(),
            defaults={"followers": reported, "read_at": clock.now()},
        )


def _count_today(account: LinkedAccount, source: InsightsSource, today: date) -> None:
    """Read the count where no sync has: the member may have allowed only their statistics."""
    today_row = DailyTotal.objects.filter(account=account, day=today, followers__isnull=False)
    if today_row.exists():
        return
    call_budget.take(account.pk, 1)
    gate.check(account.pk, Scope.INSIGHTS)
    followers = source.count()
    if followers is None:
        return
    with transaction.atomic():
        gate.check(account.pk, Scope.INSIGHTS)
        DailyTotal.objects.update_or_create(
            account=account, day=today, defaults={"followers": followers, "read_at": clock.now()}
        )


def _read_demographics(account: LinkedAccount, source: InsightsSource) -> None:
    """Once a day. An empty answer does not overwrite the last one."""
    fresh = clock.now() - timedelta(hours=20)
    if Demographics.objects.filter(account=account, read_at__gt=fresh).exists():
        return
    for breakdown in BREAKDOWNS:
        call_budget.take(account.pk, 1)
        gate.check(account.pk, Scope.INSIGHTS)
        found = source.demographics(breakdown)
        if found:
            with transaction.atomic():
                gate.check(account.pk, Scope.INSIGHTS)
                _store_shares(account, breakdown, found)


def _store_shares(account: LinkedAccount, breakdown: str, found: list[Share]) -> None:
    values = [[list(share.values), share.followers] for share in found]
    Demographics.objects.update_or_create(
        account=account, breakdown=breakdown, defaults={"values": values, "read_at": clock.now()}
    )


def _react(state: InsightsReading, error: ThreadsiteError) -> None:
    """Wait, ask the member, or stop, by the class of the error."""
    code = error.code
    if isinstance(error, WaitUntil):
        _schedule_next(state, max(error.at - clock.now(), timedelta(minutes=1)), code)
    elif isinstance(error, RetryLater):
        state.failures += 1
        pause = RETRY * 2 ** min(state.failures, 6)
        _schedule_next(state, pause, code)
    elif isinstance(error, UnlinkedByInstagram):
        _stop(state, code)
        linking.unlink(
            account=LinkedAccount.objects.get(pk=state.pk), erase="now", channel="instagram"
        )
    elif isinstance(error, NeedsReconnect):
        _stop(state, code)
        linking.mark_needs_reconnect(
            account=LinkedAccount.objects.get(pk=state.pk), reason=error.reason
        )
    elif isinstance(error, PermissionMissing):
        _stop(state, code)
    else:
        # Paused, unlinked, without consent, or of an unknown shape: tried again later.
        _schedule_next(state, INTERVAL, code)
    logger.warning("insights of account %s: %s", state.pk, code)


def _schedule_next(state: InsightsReading, pause: timedelta, code: str = "") -> None:
    jitter = pause * random.random() * 0.1  # noqa: S311
    InsightsReading.objects.filter(ALLOWED, pk=state.pk).update(
        next_due_at=clock.now() + pause + jitter,
        failures=state.failures if code else 0,
        error_code=code,
    )


def _stop(state: InsightsReading, code: str) -> None:
    """Read nothing until the member acts; reconnecting begins anew."""
    InsightsReading.objects.filter(pk=state.pk).update(next_due_at=None, error_code=code)


def _on_granted(*, account: LinkedAccount, scope: Scope, **_kwargs: Any) -> None:
    if scope is Scope.INSIGHTS and account.is_proven:
        begin(account)


def _on_withdrawn(*, account: LinkedAccount, scope: Scope, **_kwargs: Any) -> None:
    """Nothing is due any more; a new grant begins anew."""
    if scope is Scope.INSIGHTS:
        _on_unlinked(account=account)


def _on_unlinked(*, account: LinkedAccount, **_kwargs: Any) -> None:
    InsightsReading.objects.filter(pk=account.pk).update(next_due_at=None)


def _on_reconnected(*, account: LinkedAccount, **_kwargs: Any) -> None:
    allowed = consent_in_force(account.pk, Scope.INSIGHTS)
    if allowed and InsightsReading.objects.filter(pk=account.pk).exists():
        begin(account)


def _erase(
    model: type[DailyTotal] | type[Demographics] | type[InsightsReading],
    account_id: int,
    limit: int,
) -> int:
    rows = model._default_manager.filter(account_id=account_id)
    ids = list(rows.values_list("pk", flat=True)[:limit])
    model._default_manager.filter(pk__in=ids).delete()
    return len(ids)


def _exported(account: LinkedAccount) -> Any:
    """Rows for the member's data export."""
    for row in DailyTotal.objects.filter(account=account).order_by("day"):
        yield {
            "day": row.day.isoformat(),
            "gained": row.gained,
            "lost": row.lost,
            "followers": row.followers,
        }
