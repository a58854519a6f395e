"""The lease of a run, renewed in one lean statement."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection


def hold(run_id: int, worker: UUID, now: datetime) -> bool:
    """Lock the run until the commit and renew its heartbeat; False: it is not this worker's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE followersync_syncrun SET heartbeat_at = %s"
            " WHERE id = %s AND worker = %s AND state = 'running'",
            [now, run_id, worker],
        )
        held: int = cursor.rowcount
    return held == 1
