"""Figures by day, from the counters of the snapshots."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def daily_series(
    account_id: int, begin: datetime, end: datetime
) -> list[tuple[datetime, int | None, int | None, int, int, int, int]]:
    """(at, followers, reported, gained, lost, returned, renamed) for each UTC day, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(at), (array_agg(followers ORDER BY at DESC, id DESC))[1],"
            " (array_agg(reported ORDER BY at DESC, id DESC))[1],"
            " sum(gained + found), sum(lost), sum(returned), sum(renamed)"
            " FROM followersync_followersnapshot WHERE account_id = %s AND at >= %s AND at < %s"
            " GROUP BY (at AT TIME ZONE 'UTC')::date ORDER BY 1",
            [account_id, begin, end],
        )
        return [tuple(row) for row in cursor.fetchall()]
