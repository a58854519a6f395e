"""Call counters: one statement takes calls, safe under concurrency."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

# Above this share of a limit, in percent, more than one statement is needed.
NEAR = 50


def take_calls(name: str, wanted: int, hourly: int, now: datetime) -> tuple[int, int] | None:
    """Take `wanted` calls of the budget `name`, if so many are left and no limit is near.

    Returns (calls taken in this hour, these included, and Instagram's percentage), or None where
    none were taken.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO followersync_callbudget AS b (name, window_started_at, calls, percent)"
            " SELECT %(name)s, %(now)s, %(wanted)s, 0 WHERE %(wanted)s <= %(hourly)s"
            " AND NOT EXISTS (SELECT FROM followersync_callbudget a WHERE a.name = 'app' AND"
            "  (a.blocked_until > %(now)s OR a.percent >= %(near)s))"
            " ON CONFLICT (name) DO UPDATE SET"
            " calls = %(wanted)s"
            "  + CASE WHEN b.window_started_at > %(over)s THEN b.calls ELSE 0 END,"
            " percent = CASE WHEN b.window_started_at > %(over)s THEN b.percent ELSE 0 END,"
            " window_started_at = CASE WHEN b.window_started_at > %(over)s"
            "  THEN b.window_started_at ELSE %(now)s END"
            " WHERE (b.blocked_until IS NULL OR b.blocked_until <= %(now)s)"
            " AND (b.window_started_at <= %(over)s"
            "  OR (b.percent < %(near)s AND b.calls + %(wanted)s <= %(hourly)s))"
            " RETURNING calls, percent",
            {
                "name": name,
                "now": now,
                "over": now - timedelta(hours=1),
                "wanted": wanted,
                "hourly": hourly,
                "near": NEAR,
            },
        )
        row: tuple[int, int] | None = cursor.fetchone()
    return row
