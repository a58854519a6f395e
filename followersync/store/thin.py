"""Deleting what retention no longer keeps, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

_RUNS = """
DELETE FROM followersync_syncrun WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM followersync_syncrun WHERE finished_at < %s LIMIT %s))
"""
_SCANS = """
DELETE FROM followersync_fullscan WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM followersync_fullscan WHERE closed_at < %s LIMIT %s))
"""
_PAST = """
DELETE FROM followersync_pastfollow WHERE (account_id, key, valid_to) IN (
    SELECT account_id, key, valid_to FROM followersync_pastfollow WHERE valid_to < %s LIMIT %s)
"""
# The feed is cut off from its old end only: what stays has no gap, and a reader who stands
# before `first_position` is told to list again.
_FEED = """
WITH due AS (
    SELECT account_id, first_position FROM followersync_syncsettings s
    WHERE EXISTS (SELECT 1 FROM followersync_followerchange c WHERE c.account_id = s.account_id
        AND c.position = s.first_position AND c.at < %(before)s)
    ORDER BY account_id LIMIT 1 FOR UPDATE),
old AS (
    SELECT c.account_id, c.position FROM due JOIN followersync_followerchange c USING (account_id)
    WHERE c.position >= due.first_position AND c.at < %(before)s
    ORDER BY c.position LIMIT %(limit)s),
gone AS (
    DELETE FROM followersync_followerchange c USING old
    WHERE c.account_id = old.account_id AND c.position = old.position RETURNING c.position),
moved AS (
    UPDATE followersync_syncsettings s SET first_position = (SELECT max(position) + 1 FROM old)
    FROM due WHERE s.account_id = due.account_id RETURNING 1)
SELECT count(*) FROM gone, moved
"""


def ended_runs(before: datetime, limit: int) -> int:
    """Runs and campaigns that ended before then."""
    return _delete(_RUNS, before, limit) + _delete(_SCANS, before, limit)


def past_follows(before: datetime, limit: int) -> int:
    """Intervals that were closed before then."""
    return _delete(_PAST, before, limit)


def old_changes(before: datetime, limit: int) -> int:
    """The oldest entries of one account's feed; called again, it takes the next account's."""
    with connection.cursor() as cursor:
        cursor.execute(_FEED, {"before": before, "limit": limit})
        return int(cursor.fetchone()[0])


def _delete(statement: str, before: datetime, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, [before, limit])
        return int(cursor.rowcount)


def drop_snapshots(ids: Sequence[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM followersync_followersnapshot WHERE id = ANY(%s)", [list(ids)])
        return int(cursor.rowcount)
