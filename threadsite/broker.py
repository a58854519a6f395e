"""django-q2 broker on PostgreSQL: claims tasks in one statement, wakes by NOTIFY.

The stock broker reads rows in no order, claims each with an UPDATE of its own and sleeps between
polls. Here a worker claims the oldest free tasks in one statement that skips locked rows, and an
empty queue waits for the notification that the enqueuing transaction sends when it commits. The
table is django-q2's own, so its admin and its monitors keep working.
A row's `key` says who may claim it: `threadsite` any cluster, `threadsite@ID` only that one. A
cluster writes its own key to rows it claims, so that all of them can be released when it dies; the
same key addresses the watchdog's task to its own cluster.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any, Final, cast

from django.db import close_old_connections, connection
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from accounts.connectivity import GONE, Outage
from accounts.queue import cluster_id

CHANNEL: Final = "threadsite_queue"
#: How long to wait on an empty queue; it also bounds how late a stop is noticed.
WAIT_SECONDS: Final = 1.0

# statement_timestamp is stable, so the index is used; clock_timestamp would read every row.
# A free task's `lock` is the time since which it is free, so this order is oldest first.
CLAIM = """
UPDATE django_q_ormq SET lock = clock_timestamp() + make_interval(secs => %s), key = %s
WHERE id IN (
    SELECT id FROM django_q_ormq
    WHERE key = ANY(%s) AND lock <= statement_timestamp()
    ORDER BY lock, id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, payload
"""
GIVE_BACK = """
UPDATE django_q_ormq SET key = %s, lock = least(lock, clock_timestamp()) WHERE key = %s
"""
# Rows of clusters that do not run any more, and expired claims.
GIVE_BACK_ABANDONED = """
UPDATE django_q_ormq SET key = %(free)s, lock = least(lock, clock_timestamp())
WHERE starts_with(key, %(own)s)
  AND (lock <= clock_timestamp() - interval '5 seconds' OR NOT key = ANY(%(living)s))
"""
# Data-modifying CTE and notification in one round trip; NOTIFY is delivered at commit.
ENQUEUE = """
WITH task AS (
    INSERT INTO django_q_ormq (key, payload, lock)
    VALUES (%s, %s, clock_timestamp()) RETURNING id)
SELECT id, pg_notify(%s, %s) FROM task
"""


#: How long to retry deleting a finished task's row while the database is away.
ACKNOWLEDGE_SECONDS: Final = 120.0


def key_of(queue: str, cluster: str) -> str:
    """The key of tasks claimed by this cluster or addressed to it."""
    return f"{queue}@{cluster}"


class PostgresBroker(ORM):  # type: ignore[misc]
    """At-least-once delivery, oldest first, no polling while the queue is empty.

    Waits while the database is away, and then continues.
    """

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._outage = Outage("the queue's database")
        self._listening_on: Any = None

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """The queue's rows, without a query.

        The stock broker sends one: created while the database is away, it would end the cluster.
        """
        if not connection.in_atomic_block:
            close_old_connections()
        return OrmQ.objects.using(Conf.ORM)

    def info(self) -> str:
        """The name that django-q2's monitors print."""
        return "PostgreSQL (SKIP LOCKED, LISTEN)"

    def enqueue(self, task: str) -> int:
        """Store the signed task; returns its row id. Workers wake at the commit."""
        if not connection.in_atomic_block:
            close_old_connections()
        with connection.cursor() as cursor:
            key = self.list_key or Conf.CLUSTER_NAME
            cursor.execute(ENQUEUE, [key, task, CHANNEL, key])
            row_id: int = cursor.fetchone()[0]
        return row_id

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Up to Conf.BULK tasks as (row id, payload), oldest first; None after a wait."""
        try:
            close_old_connections()
            tasks = self._claim()
            if not tasks:
                self._wait()
        except GONE as error:
            connection.close()
            time.sleep(self._outage.record_failure(error))
            return None
        self._outage.record_success()
        return tasks or None

    def acknowledge(self, task_id: int) -> None:
        """Delete the row of a finished task; waits for the database, else it would run again."""
        until = time.monotonic() + ACKNOWLEDGE_SECONDS
        while True:
            try:
                self.delete(task_id)
            except GONE as error:
                connection.close()
                if time.monotonic() > until:
                    raise
                time.sleep(self._outage.record_failure(error))
            else:
                self._outage.record_success()
                return

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """For monitors, twice a second; the cluster's own connection may be broken."""
        try:
            close_old_connections()
            super().set_stat(key, value, timeout)
        except GONE:
            connection.close()

    def instance(self) -> str | None:
        """An id that changes when the queue may have lost its tasks: a table loses none."""
        return None

    def release_claims(self, cluster: str) -> int:
        """Release this cluster's claims for others; returns how many tasks."""
        with connection.cursor() as cursor:
            cursor.execute(GIVE_BACK, [self.list_key, key_of(self.list_key, cluster)])
            returned: int = cursor.rowcount
        return returned

    def release_abandoned_claims(self, living: Collection[str]) -> int:
        """The same for all clusters not in `living`."""
        own = key_of(self.list_key, "")
        keys = [own + cluster for cluster in living]
        with connection.cursor() as cursor:
            cursor.execute(GIVE_BACK_ABANDONED, {"free": self.list_key, "own": own, "living": keys})
            returned: int = cursor.rowcount
        return returned

    def _claim(self) -> list[tuple[int, str]]:
        cluster = cluster_id()
        # A cluster without our watchdog has no id; nobody would release its claims.
        own = self.list_key if cluster is None else key_of(self.list_key, cluster)
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, [Conf.RETRY, own, [self.list_key, own], Conf.BULK])
            return sorted(cursor.fetchall())

    def _wait(self) -> None:
        """Sleep until somebody enqueues, at most WAIT_SECONDS."""
        connection.ensure_connection()
        raw: Any = connection.connection
        if raw is not self._listening_on:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            # The notification of a task enqueued before LISTEN is lost: poll once more.
            self._listening_on = raw
            return
        for _ in cast("Any", raw).notifies(timeout=WAIT_SECONDS, stop_after=1):
            pass
