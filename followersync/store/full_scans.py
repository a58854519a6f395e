"""Row of an account's full scan, upserted in one statement."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

# The row is inserted only after others were closed: an account has at most one open scan.
_MIRROR = """
WITH same AS (
    UPDATE followersync_fullscan SET pages = %(pages)s, people = %(people)s,
        closed_at = %(closed)s, outcome = %(outcome)s
    WHERE account_id = %(account)s AND closed_at IS NULL AND started_at = %(started)s
    RETURNING 1),
others AS (
    UPDATE followersync_fullscan SET closed_at = %(now)s, outcome = 'abandoned'
    WHERE account_id = %(account)s AND closed_at IS NULL AND started_at <> %(started)s
    RETURNING 1)
INSERT INTO followersync_fullscan
    (account_id, why, started_at, closed_at, outcome, pages, people)
SELECT %(account)s, %(why)s, %(started)s, %(closed)s, %(outcome)s, %(pages)s, %(people)s
WHERE NOT EXISTS (SELECT FROM same) AND (SELECT count(*) FROM others) >= 0
"""


def mirror_scan(
    account_id: int,
    *,
    started_at: datetime,
    why: str,
    pages: int,
    people: int,
    closed_at: datetime | None,
    outcome: str,
    now: datetime,
) -> None:
    """Write the row of the scan that began at `started_at`; any other open one was abandoned."""
    with connection.cursor() as cursor:
        cursor.execute(
            _MIRROR,
            {
                "account": account_id,
                "started": started_at,
                "why": why,
                "pages": pages,
                "people": people,
                "closed": closed_at,
                "outcome": outcome,
                "now": now,
            },
        )
