"""Daily figures from the counters of the snapshots."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

# One index lookup per day, however many looks a day had.
_LAST_OF_EACH_DAY = """
SELECT extract(epoch FROM look.at)::float8, look.followers, look.reported
  FROM generate_series(%s::timestamptz, %s::timestamptz - interval '1 day', '1 day') AS day (begin)
 CROSS JOIN LATERAL (
       SELECT at, followers, reported FROM followersync_followersnapshot
        WHERE account_id = %s AND at >= day.begin AND at < day.begin + interval '24 hours'
          AND (complete AND followers IS NOT NULL OR NOT %s)
        ORDER BY at DESC, id DESC LIMIT 1) AS look
 ORDER BY look.at
"""


def last_of_each_day(
    account_id: int, begin: datetime, end: datetime, *, whole: bool = False
) -> list[tuple[datetime, int | None, int | None]]:
    """(at, followers, reported) of each UTC day's last look, oldest first.

    `begin`, `end`: midnights. `whole`: only looks after which the list was whole.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_OF_EACH_DAY, [begin, end, account_id, whole])
        # Django reads a timestamptz in Python, ten times slower than this.
        return [(datetime.fromtimestamp(at, UTC), *counts) for at, *counts in cursor.fetchall()]


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
