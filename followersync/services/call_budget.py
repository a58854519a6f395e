"""Call budget: taken from PostgreSQL, shared by all workers, before calls are made.

A worker takes a few calls at a time and gives back unused ones, so that counting costs few row
writes. Calls taken by a killed worker count as made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from accounts import clock
from accounts.errors import WaitUntil
from followersync import store
from followersync.domain import schedule
from followersync.models import CallBudget
from followersync.selectors.call_budget import APP, WINDOW, name_of, remaining_calls

if TYPE_CHECKING:
    from accounts.instagram.gateway import Usage
    from accounts.instagram.usage import Percentages

# Below this, Instagram's percentages have no effect.
NOTEWORTHY = 50


def take(account_id: int, wanted: int, now: datetime | None = None) -> int:
    """Take up to `wanted` calls, at least one. Raises WaitUntil where there is none."""
    now = now or clock.now()
    if store.take_calls(name_of(account_id), wanted, settings.INSTAGRAM_CALLS_PER_HOUR, now):
        return wanted
    return _take_last(account_id, wanted, now)


def take_first(account_id: int, wanted: int, now: datetime) -> tuple[int, int]:
    """(calls taken, calls that remained before), at the start of a run; takes none near a limit."""
    hourly: int = settings.INSTAGRAM_CALLS_PER_HOUR
    counted = store.take_calls(name_of(account_id), wanted, hourly, now)
    if counted is None:
        return 0, remaining_calls(account_id, now).calls
    calls, percent = counted
    return wanted, min(schedule.calls_allowed(percent, hourly), hourly - calls + wanted)


@transaction.atomic
def _take_last(account_id: int, wanted: int, now: datetime) -> int:
    """The remaining calls, where fewer than `wanted` are left or a limit is near."""
    name = name_of(account_id)
    CallBudget.objects.get_or_create(name=name, defaults={"window_started_at": now})
    row = CallBudget.objects.select_for_update().get(name=name)
    if row.window_started_at <= now - WINDOW:
        row.window_started_at, row.calls, row.percent = now, 0, 0
        row.save(update_fields=["window_started_at", "calls", "percent"])
    remaining = remaining_calls(account_id, now)
    if not remaining.calls:
        raise WaitUntil(remaining.until or now + WINDOW)
    taken = min(wanted, remaining.calls)
    CallBudget.objects.filter(name=name).update(calls=F("calls") + taken)
    return taken


def give_back(account_id: int, unused: int) -> None:
    if unused:
        CallBudget.objects.filter(name=name_of(account_id)).update(
            calls=Greatest(F("calls") - unused, 0)
        )


def note(account_id: int, usage: Usage) -> None:
    """Store what an answer's headers say of the account's limit and of the app's."""
    _note(name_of(account_id), usage.business, usage.regain_minutes)
    _note(APP, usage.app, 0)


def _note(name: str, used: Percentages | None, regain_minutes: int) -> None:
    percent = used.highest if used is not None else 0
    if percent < NOTEWORTHY and not regain_minutes:
        return
    now = clock.now()
    wait = schedule.wait_for_usage(percent, regain_minutes or None)
    CallBudget.objects.get_or_create(name=name, defaults={"window_started_at": now})
    rows = CallBudget.objects.filter(name=name)
    rows.exclude(percent=percent).update(percent=percent)
    if name == APP:
        rows.filter(window_started_at__lte=now - WINDOW).update(window_started_at=now)
    if wait:
        rows.update(blocked_until=now + timedelta(seconds=wait))


def block(account_id: int, until: datetime, usage: Usage) -> None:
    """Instagram rejected a call: make none before `until`, which would prolong the limit."""
    whole_app = usage.app is not None and usage.app.highest >= 100
    CallBudget.objects.update_or_create(
        name=APP if whole_app else name_of(account_id),
        defaults={"blocked_until": until},
        create_defaults={"blocked_until": until, "window_started_at": clock.now()},
    )


def erase(account_id: int, limit: int) -> int:
    """Eraser for `accounts.registry`."""
    deleted, _kinds = CallBudget.objects.filter(name=name_of(account_id)).delete()
    return deleted
