"""Remaining calls of an account in this hour, and until when none may be made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from followersync.domain import schedule
from followersync.models import CallBudget

WINDOW = timedelta(hours=1)
APP = "app"


def name_of(account_id: int) -> str:
    return f"account:{account_id}"


@dataclass(frozen=True, slots=True)
class RemainingCalls:
    """Remaining calls. `until`: when there will be more, None while there are some."""

    calls: int
    until: datetime | None


def remaining_calls(account_id: int, now: datetime) -> RemainingCalls:
    """The remaining calls by our own count and Instagram's limits, for the account and the app."""
    rows = {row.name: row for row in CallBudget.objects.filter(name__in=[name_of(account_id), APP])}
    own, app = rows.get(name_of(account_id)), rows.get(APP)
    blocked = [row.blocked_until for row in rows.values() if row.blocked_until]
    until = max((moment for moment in blocked if moment > now), default=None)
    if until is not None:
        return RemainingCalls(0, until)
    calls = min(_left_of(own, now, counted=True), _left_of(app, now, counted=False))
    ends = [row.window_started_at + WINDOW for row in rows.values() if row.window_started_at]
    return RemainingCalls(calls, None if calls else max(ends, default=now + WINDOW))


def _left_of(row: CallBudget | None, now: datetime, *, counted: bool) -> int:
    """The app's calls are not counted, so that workers need not wait for each other's count."""
    hourly: int = settings.INSTAGRAM_CALLS_PER_HOUR
    if row is None or row.window_started_at <= now - WINDOW:
        return hourly
    allowed = schedule.calls_allowed(row.percent, hourly)
    return max(0, min(allowed, hourly - row.calls)) if counted else allowed
