"""Daily figures from the counters of the snapshots."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db import connection

# One index lookup per day, however many looks a day had.
_LAST_OF_EACH_DAY = """
SELECT extract(epoch FROM look.at)::float8, look.followers, look.reported
  FROM generate_series(%s::timestamptz, %s::timestamptz - interval '1 day', '1 day') AS day (begin)
 CROSS JOIN LATERAL (
       SELECT at, followers, reported FROM followersync_followersnapshot
        WHERE account_id = %s AND at >= day.begin AND at < day.begin + interval '24 hours'
        ORDER BY at DESC, id DESC LIMIT 1) AS look
 ORDER BY look.at
"""


_DAILY_TOTALS = """
SELECT (day.begin AT TIME ZONE 'UTC')::date, said.gained, said.lost, said.followers, look.followers
  FROM generate_series(%(begin)s::timestamptz, %(end)s::timestamptz - interval '1 day', '1 day')
    AS day (begin)
  LEFT JOIN followersync_dailytotal said
    ON said.account_id = %(account)s AND said.day = (day.begin AT TIME ZONE 'UTC')::date
  LEFT JOIN LATERAL (
       SELECT followers FROM followersync_followersnapshot
        WHERE account_id = %(account)s AND at >= day.begin
          AND at < day.begin + interval '24 hours' AND complete AND followers IS NOT NULL
        ORDER BY at DESC, id DESC LIMIT 1) AS look ON true
 ORDER BY 1
"""


def last_of_each_day(
    account_id: int, begin: datetime, end: datetime
) -> list[tuple[datetime, int | None, int | None]]:
    """(at, followers, reported) of each UTC day's last look, oldest first.

    `begin`, `end`: midnights.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_OF_EACH_DAY, [begin, end, account_id])
        # Django reads a timestamptz in Python, ten times slower than this.
        return [(datetime.fromtimestamp(at, UTC), *counts) for at, *counts in cursor.fetchall()]


def daily_totals(
    account_id: int, begin: datetime, end: datetime
) -> list[tuple[date, int | None, int | None, int | None, int | None]]:
    """(day, gained, lost, followers, listed) of each UTC day, known or not, oldest first.

    `begin`, `end`: midnights. `listed`: by the day's last look after which the list was whole.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DAILY_TOTALS, {"begin": begin, "end": end, "account": account_id})
        return [tuple(row) for row in cursor.fetchall()]


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
