"""Run rows: take and renew a lease, and update counters and progress."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from followersync.models import SyncRun

_TAKE = """
UPDATE followersync_syncrun SET state = 'running', worker = %(worker)s, heartbeat_at = %(now)s,
    not_before = NULL, error_code = ''
WHERE id = %(run)s AND (state = 'queued' OR (state = 'waiting' AND not_before <= %(now)s)
    OR (state = 'running' AND (worker IS NULL OR heartbeat_at < %(dead)s)))
RETURNING *
"""


class Increment(int):
    """An increment of a counter."""


class FeedCounts(NamedTuple):
    """The feed entries of a run so far, by kind."""

    gained: int
    found: int
    lost: int
    returned: int
    renamed: int


def take_lease(run_id: int, worker: UUID, now: datetime, dead: datetime) -> SyncRun | None:
    """Give the run to `worker`, if no worker has it: `services.sync.lease.free` is the same
    condition.

    `dead`: a worker whose last heartbeat is before then is dead.
    """
    values = {"run": run_id, "worker": worker, "now": now, "dead": dead}
    for run in SyncRun.objects.raw(_TAKE, values):
        return run
    return None


def renew_lease(run_id: int, worker: UUID, now: datetime) -> bool:
    """Lock the run until the commit and renew its heartbeat; False: it is not this worker's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE followersync_syncrun SET heartbeat_at = %s"
            " WHERE id = %s AND worker = %s AND state = 'running'",
            [now, run_id, worker],
        )
        renewed: int = cursor.rowcount
    return renewed == 1


def change_run(run_id: int, worker: UUID, changes: Mapping[str, Any]) -> FeedCounts | None:
    """As `renew_lease`, and write `changes` by column; None: it is not this worker's."""
    columns = ", ".join(
        f'"{name}" = "{name}" + %s' if isinstance(value, Increment) else f'"{name}" = %s'
        for name, value in changes.items()
    )
    values: list[Any] = [*map(_plain, changes.values()), run_id, worker]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE followersync_syncrun SET {columns}"  # noqa: S608
            " WHERE id = %s AND worker = %s AND state = 'running'"
            " RETURNING gained, found, lost, returned, renamed",
            values,
        )
        row = cursor.fetchone()
    return None if row is None else FeedCounts(*row)


def _plain(value: Any) -> Any:
    match value:
        case Increment():
            return int(value)
        case Enum():
            return value.value
        case dict():
            return Jsonb(value)
    return value
