"""django-q2's queue as PostgreSQL wants it: claimed in one statement, woken by NOTIFY.

The stock broker reads rows in no order, claims each with an UPDATE of its own and sleeps between
polls. Here a worker claims the oldest free tasks in one statement that skips rows others hold, and
an empty queue waits for the notification that the enqueuing transaction sends when it commits.
The table is django-q2's own, so its admin and its monitors keep working.
"""

from __future__ import annotations

from typing import Any, Final, cast

from django.db import close_old_connections, connection, transaction
from django_q.brokers.orm import ORM
from django_q.conf import Conf

CHANNEL: Final = "threadsite_queue"
#: How long an empty queue is waited for; it also bounds how late a stop is noticed.
WAIT_SECONDS: Final = 1.0

# statement_timestamp is stable, so the index serves; clock_timestamp would read every row.
# A free task's lock is the moment since which it is free, so this order is oldest first.
CLAIM = """
UPDATE django_q_ormq SET lock = clock_timestamp() + make_interval(secs => %s)
WHERE id IN (
    SELECT id FROM django_q_ormq
    WHERE key = %s AND lock <= statement_timestamp()
    ORDER BY lock, id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, payload
"""
# Data-modifying CTE and notification in one round trip; NOTIFY is delivered at commit.
ENQUEUE = """
WITH task AS (
    INSERT INTO django_q_ormq (key, payload, lock)
    VALUES (%s, %s, clock_timestamp()) RETURNING id)
SELECT id, pg_notify(%s, %s) FROM task
"""


class PostgresBroker(ORM):  # type: ignore[misc]
    """At-least-once delivery, oldest first, no polling while the queue is empty."""

    def info(self) -> str:
        """The name that django-q2's monitors print."""
        return "PostgreSQL (SKIP LOCKED, LISTEN)"

    def enqueue(self, task: str) -> int:
        """Store the signed task; returns its row id. Workers wake when it is committed."""
        if transaction.get_autocommit():
            close_old_connections()
        with connection.cursor() as cursor:
            key = self.list_key or Conf.CLUSTER_NAME
            cursor.execute(ENQUEUE, [key, task, CHANNEL, key])
            row_id: int = cursor.fetchone()[0]
        return row_id

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Up to Conf.BULK tasks as (row id, payload), oldest first; None after a quiet wait."""
        close_old_connections()
        tasks = self._claim()
        if tasks:
            return tasks
        self._wait()
        return None

    def _claim(self) -> list[tuple[int, str]]:
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, [Conf.RETRY, self.list_key, Conf.BULK])
            return sorted(cursor.fetchall())

    def _wait(self) -> None:
        """Sleep until somebody enqueues, at most WAIT_SECONDS."""
        connection.ensure_connection()
        raw: Any = connection.connection
        if raw is not getattr(self, "_listening_on", None):
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            # A task that came before LISTEN rang in vain: look once more before waiting.
            self._listening_on = raw
            return
        for _ in cast("Any", raw).notifies(timeout=WAIT_SECONDS, stop_after=1):
            pass
