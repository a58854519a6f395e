"""Which snapshots may go, and how far back the change feed reaches."""

from __future__ import annotations

from collections.abc import Sequence

DAY = 86_400
KEEP_ALL = 30 * DAY
KEEP_DAILY = 400 * DAY


def snapshots_to_drop(times: Sequence[int], now: int) -> list[int]:
    """Indexes of snapshots that may go: all are kept for 30 days, then one a day for 400 days,
    then one a week; the first and the newest always stay. `times`: rising unix seconds."""
    drop = []
    kept: int | None = None
    for index, at in enumerate(times):
        if index in (0, len(times) - 1) or kept is None or _bucket(at, now) != kept:
            kept = _bucket(at, now)
        elif now - at > KEEP_ALL:
            drop.append(index)
    return drop


def _bucket(at: int, now: int) -> int:
    """Days are counted from 1970 (negative for weeks, so that the two never meet)."""
    age = now - at
    return at // DAY if age <= KEEP_DAILY else -(at // (7 * DAY)) - 1


def feed_horizon(now: int, days: int) -> int:
    """Changes before this time may be dropped; whoever reads from there must list again."""
    return now - days * DAY
