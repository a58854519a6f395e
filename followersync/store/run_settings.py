"""Settings of an account at the start and the end of a run, each in one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from psycopg.types.json import Jsonb

from accounts.scopes import Scope
from accounts.selectors.consent_in_force import in_force_sql
from followersync.models import SyncSettings
from followersync.store.runs import FeedCounts

KEEPS_COUNT = in_force_sql("s.account_id", f"'{Scope.PROFILE.value}'")
_RUN_START = """
SELECT s.*,
    (SELECT count(*) FROM followersync_absence n WHERE n.account_id = s.account_id) AS unconfirmed,
    EXISTS (SELECT FROM followersync_scanpage p WHERE p.account_id = s.account_id) AS has_pages
FROM followersync_syncsettings s WHERE s.account_id = %(account)s
"""
_LOCKED = f"""
SELECT s.*, (SELECT coalesce(sum(gained + lost + returned + found), 0)
    FROM followersync_followersnapshot n
    WHERE n.account_id = s.account_id AND n.at > %(since)s) AS changes,
    {KEEPS_COUNT} AS keeps_count
FROM followersync_syncsettings s WHERE s.account_id = %(account)s FOR UPDATE OF s
"""  # noqa: S608
_RUN_RESULT = """
UPDATE followersync_syncsettings SET memory = %s, complete = %s, reported = %s, baseline_at = %s,
    last_synced_at = %s, failures = %s, not_before = %s, next_due_at = %s,
    came_back_at = %s, came_back_after = %s, came_back_looks = %s
WHERE account_id = %s
"""
_SNAPSHOT = """
INSERT INTO followersync_followersnapshot (account_id, run_id, at, mode, position, followers,
    reported, unconfirmed, gained, found, lost, returned, renamed, complete, digest, evidence)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class RunStart(NamedTuple):
    """`unconfirmed`: how many people are; `has_pages`: pages of an earlier run are stored."""

    settings: SyncSettings
    unconfirmed: int
    has_pages: bool


class LockedSettings(NamedTuple):
    """`changes`: how many the account's snapshots count since the given moment.

    `keeps_count`: the member allows storing Instagram's own count. A withdrawal waits for the run's
    lock, so it holds until the commit.
    """

    settings: SyncSettings
    changes: int
    keeps_count: bool


def load_run_start(account_id: int) -> RunStart:
    settings = _only(_RUN_START, {"account": account_id})
    return RunStart(settings, settings.__dict__["unconfirmed"], settings.__dict__["has_pages"])


def lock_settings(account_id: int, since: datetime) -> LockedSettings:
    """The account's settings, locked until the commit."""
    settings = _only(_LOCKED, {"account": account_id, "since": since})
    found = settings.__dict__
    return LockedSettings(settings, found["changes"], bool(found["keeps_count"]))


def _only(statement: str, values: dict[str, Any]) -> SyncSettings:
    for settings in SyncSettings.objects.raw(statement, values):
        return settings
    raise SyncSettings.DoesNotExist


def save_run_result(settings: SyncSettings) -> None:
    """Write what the end of a run changes, without the feed's columns."""
    values: list[Any] = [
        Jsonb(settings.memory),
        settings.complete,
        settings.reported,
        settings.baseline_at,
        settings.last_synced_at,
        settings.failures,
        settings.not_before,
        settings.next_due_at,
        settings.came_back_at,
        settings.came_back_after,
        settings.came_back_looks,
        settings.pk,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RUN_RESULT, values)


def save_snapshot(
    settings: SyncSettings,
    run_id: int,
    at: datetime,
    *,
    mode: str,
    followers: int | None,
    reported: int | None,
    unconfirmed: int,
    counted: FeedCounts,
    evidence: dict[str, Any],
) -> None:
    """Store a run's result, without the list's part where `followers` is None."""
    listed = followers is not None
    values: list[Any] = [
        settings.pk,
        run_id,
        at,
        str(mode),
        settings.head if listed else 0,
        followers,
        reported,
        unconfirmed,
        *counted,
        settings.complete and listed,
        settings.digest if listed else "",
        Jsonb(evidence),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOT, values)
