"""Figures by day, from the counters of the snapshots."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def daily_series(
    account_id: int, begin: datetime, end: datetime
) -> list[tuple[datetime, int, int | None, int, int, int, int]]:
    """(at, followers, reported, gained, lost, returned, renamed) for each UTC day, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (day) at, followers, reported, gained, lost, returned, renamed"
            " FROM (SELECT id, at, (at AT TIME ZONE 'UTC')::date AS day, followers, reported,"
            "  sum(gained + found) OVER d AS gained, sum(lost) OVER d AS lost,"
            "  sum(returned) OVER d AS returned, sum(renamed) OVER d AS renamed"
            "  FROM followersync_followersnapshot"
            "  WHERE account_id = %s AND at >= %s AND at < %s"
            "  WINDOW d AS (PARTITION BY (at AT TIME ZONE 'UTC')::date)) s"
            " ORDER BY day, at DESC, id DESC",
            [account_id, begin, end],
        )
        return [tuple(row) for row in cursor.fetchall()]
