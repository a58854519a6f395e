"""Retention of runs, history, feeds and snapshots, for as long as the operator has set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

from django.db import transaction

from accounts import registry
from accounts.models import LinkedAccount
from accounts.registry import Progress
from followersync.store import retention

#: Accounts per statement, by their keys.
ACCOUNTS: Final = 500
#: Before any count.
BEGINNING: Final = "2000-01-01T00:00:00+00:00"

Period = Literal["day", "week"]


def register() -> None:
    """Register the retention handlers; called once, when the app is ready."""
    registry.register_retention_handler("runs", retention.ended_runs)
    registry.register_cursor_retention_handler("history", history)
    registry.register_cursor_retention_handler("snapshots", snapshots)
    registry.register_cursor_retention_handler("snapshots_daily", partial(merge, "day"))
    registry.register_cursor_retention_handler("snapshots_weekly", partial(merge, "week"))


def history(older_than: datetime, progress: Progress, until: float) -> int:
    """Delete closed intervals, and the old end of feeds."""

    def of_accounts(ids: list[int]) -> int:
        return retention.past_follows(ids, older_than) + retention.old_changes(ids, older_than)

    return _by_accounts(of_accounts, progress, until)


def snapshots(older_than: datetime, progress: Progress, until: float) -> int:
    """Delete old snapshots, except the newest of each account: its present state."""
    return _by_accounts(lambda ids: retention.old_snapshots(ids, older_than), progress, until)


def merge(period: Period, older_than: datetime, progress: Progress, until: float) -> int:
    """Keep only the last snapshot of each day (or week, from Monday, in UTC) before then.

    What earlier nights have merged is not read again: `memory` says up to when.
    """
    begin = datetime.fromisoformat(progress.memory.get("until", BEGINNING))
    end = datetime.fromisoformat(
        progress.cursor.setdefault("until", _floor(period, older_than).isoformat())
    )
    if begin >= end:
        progress.finished = True
        return 0
    merged = _by_accounts(
        lambda ids: retention.merge_snapshots(ids, period, begin, end), progress, until
    )
    if progress.finished:
        progress.memory["until"] = end.isoformat()
    return merged


def _by_accounts(work: Callable[[list[int]], int], progress: Progress, until: float) -> int:
    """Process account after account, by id; the cursor names the last one that was done."""
    done = 0
    while time.monotonic() < until:
        after = progress.cursor.get("account", 0)
        ids = list(
            LinkedAccount.objects.filter(pk__gt=after)
            .order_by("pk")
            .values_list("pk", flat=True)[:ACCOUNTS]
        )
        if not ids:
            progress.finished = True
            break
        with transaction.atomic():
            done += work(ids)
        progress.cursor["account"] = ids[-1]
    return done


def _floor(period: Period, moment: datetime) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if period == "day" else day - timedelta(days=day.weekday())
