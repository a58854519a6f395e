"""Retention: deletes old runs, history, feeds and snapshots in batches, by key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from django.db import connection

#: Ids grow with time, so the oldest rows come first and no index on the time is needed. Among the
#: first rows only few are kept: runs that are still open.
WINDOW = 20_000

_RUNS = """
DELETE FROM followersync_syncrun WHERE id IN (
    SELECT id FROM (SELECT id, finished_at FROM followersync_syncrun ORDER BY id LIMIT %s) oldest
    WHERE finished_at < %s LIMIT %s)
"""
_SCANS = """
DELETE FROM followersync_fullscan WHERE id IN (
    SELECT id FROM (SELECT id, closed_at FROM followersync_fullscan ORDER BY id LIMIT %s) oldest
    WHERE closed_at < %s LIMIT %s)
"""
_PAST = """
DELETE FROM followersync_pastfollow WHERE account_id = ANY(%(ids)s) AND valid_to < %(before)s
"""
# The feed is cut off only at its old end: the rest has no gap, and a client before `first_position`
# must list again.
_FEED = """
WITH due AS (
    SELECT account_id, first_position FROM followersync_syncsettings s
    WHERE account_id = ANY(%(ids)s)
    AND EXISTS (SELECT 1 FROM followersync_followerchange c WHERE c.account_id = s.account_id
        AND c.position = s.first_position AND c.at < %(before)s)
    ORDER BY account_id FOR UPDATE),
last AS (
    SELECT c.account_id, max(c.position) AS position
    FROM due JOIN followersync_followerchange c USING (account_id)
    WHERE c.position >= due.first_position AND c.at < %(before)s GROUP BY c.account_id),
gone AS (
    DELETE FROM followersync_followerchange c USING last
    WHERE c.account_id = last.account_id AND c.position <= last.position RETURNING 1),
moved AS (
    UPDATE followersync_syncsettings s SET first_position = last.position + 1
    FROM last WHERE s.account_id = last.account_id RETURNING 1)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM moved)
"""
_SNAPSHOTS = """
DELETE FROM followersync_followersnapshot s WHERE account_id = ANY(%(ids)s) AND at < %(before)s
AND EXISTS (SELECT 1 FROM followersync_followersnapshot later
    WHERE later.account_id = s.account_id AND (later.at, later.id) > (s.at, s.id))
"""
# A period keeps the last snapshot of each kind of look, the last of a whole list, and those with
# losses. Each takes over the figures of the deleted ones before it, so that sums over whole periods
# stay the same.
_MERGE = """
WITH looked AS (
    SELECT id, account_id, at, gained, found, lost, returned, renamed,
        date_trunc(%(period)s, at AT TIME ZONE 'UTC') AS period,
        lost > 0 OR id = last_value(id) OVER of_its_mode OR coalesce(id = (max(
            CASE WHEN complete THEN ARRAY[extract(epoch FROM at), id] END
        ) OVER of_all_kinds)[2], false) AS stays
    FROM followersync_followersnapshot
    WHERE account_id = ANY(%(ids)s) AND at >= %(begin)s AND at < %(end)s
    WINDOW of_its_mode AS (
        PARTITION BY account_id, date_trunc(%(period)s, at AT TIME ZONE 'UTC'), mode
        ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
    of_all_kinds AS (
        PARTITION BY account_id, date_trunc(%(period)s, at AT TIME ZONE 'UTC'))),
heirs AS (
    SELECT *, count(*) FILTER (WHERE stays) OVER (PARTITION BY account_id, period
        ORDER BY at, id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS heir
    FROM looked),
sums AS (
    SELECT account_id, period, heir, max(id) FILTER (WHERE stays) AS id, sum(gained) AS gained,
        sum(found) AS found, sum(returned) AS returned, sum(renamed) AS renamed
    FROM heirs GROUP BY account_id, period, heir HAVING count(*) > 1),
kept AS (
    UPDATE followersync_followersnapshot s
    SET gained = sums.gained, found = sums.found, returned = sums.returned, renamed = sums.renamed
    FROM sums WHERE s.id = sums.id RETURNING 1),
gone AS (
    DELETE FROM followersync_followersnapshot s USING heirs
    WHERE s.id = heirs.id AND NOT heirs.stays RETURNING 1)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM kept)
"""


def ended_runs(before: datetime, limit: int) -> int:
    """Runs and full scans that ended before then."""
    return sum(_delete(statement, [WINDOW, before, limit]) for statement in (_RUNS, _SCANS))


def past_follows(ids: Sequence[int], before: datetime) -> int:
    """Intervals of these accounts that were closed before then."""
    return _delete(_PAST, {"ids": list(ids), "before": before})


def old_changes(ids: Sequence[int], before: datetime) -> int:
    """The old ends of these accounts' feeds."""
    return _count(_FEED, {"ids": list(ids), "before": before})


def old_snapshots(ids: Sequence[int], before: datetime) -> int:
    """Snapshots of these accounts of before then, but for the newest of each."""
    return _delete(_SNAPSHOTS, {"ids": list(ids), "before": before})


def merge_snapshots(
    ids: Sequence[int], period: Literal["day", "week"], begin: datetime, end: datetime
) -> int:
    """Merge snapshots in each whole period of [begin, end); returns how many were deleted."""
    return _count(_MERGE, {"ids": list(ids), "period": period, "begin": begin, "end": end})


def _delete(statement: str, given: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return int(cursor.rowcount)


def _count(statement: str, given: Any) -> int:
    """The first figure of a statement's one row."""
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return int(cursor.fetchone()[0])
