"""django-q2 broker on Redis whose tasks survive the worker that took them.

The stock broker removes a task from its list at once: a killed cluster's tasks are lost. Here a
task moves to a list of its cluster's until it is finished, and back when the cluster dies. Waits
while Redis is away.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from typing import Any, Final

import redis
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.connectivity import GONE, Outage
from accounts.queue import cluster_id

#: How long to wait on an empty queue; it also bounds how late a stop is noticed.
WAIT_SECONDS: Final = 1
#: A server silent for so long counts as away.
TIMEOUT_SECONDS: Final = 10
#: A member's request may enqueue.
CONNECT_SECONDS: Final = 3
ACKNOWLEDGE_SECONDS: Final = 120.0


@cache
def _client(address: str) -> redis.Redis:
    """One connection pool per process (it handles forks itself)."""
    return redis.Redis.from_url(
        address,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        health_check_interval=30,
        # A stale connection is replaced; all other retries are ours.
        retry=Retry(NoBackoff(), 1),
    )


class RedisBroker(Redis):  # type: ignore[misc]
    """At-least-once delivery, oldest first."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._outage = Outage("Redis")

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """A client with timeouts that replaces stale connections."""
        return _client(Conf.REDIS)

    def ping(self) -> bool:
        """Always true, so that the cluster starts without Redis: `dequeue` waits for it."""
        return True

    def dequeue(self) -> list[tuple[str, bytes]] | None:
        """One task as (its own text, payload); None after a wait."""
        try:
            task = self._take()
        except GONE as error:
            time.sleep(self._outage.record_failure(error))
            return None
        self._outage.record_success()
        return None if task is None else [(task.decode(), task)]

    def acknowledge(self, task_id: str) -> None:
        """Delete a finished task; waits for Redis, else it would run again."""
        until = time.monotonic() + ACKNOWLEDGE_SECONDS
        while True:
            try:
                self.connection.lrem(self._taken(cluster_id() or ""), 1, task_id)
            except GONE as error:
                if time.monotonic() > until:
                    raise
                time.sleep(self._outage.record_failure(error))
            else:
                self._outage.record_success()
                return

    def fail(self, task_id: str) -> None:
        """Delete an unreadable task."""
        self.acknowledge(task_id)

    def lock_size(self) -> int:
        """How many tasks are claimed."""
        known = self.connection.smembers(self._clusters)
        return sum(int(self.connection.llen(self._taken(each.decode()))) for each in known)

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """For monitors, twice a second."""
        with suppress(*GONE):
            super().set_stat(key, value, timeout)

    def instance(self) -> str | None:
        """An id that changes when the queue may have lost its tasks: Redis's run id."""
        return str(self.connection.info("server")["run_id"])

    def release_claims(self, cluster: str) -> int:
        """Release this cluster's tasks for others; returns how many."""
        returned = 0
        # From the tail to the head of both: in the order in which they were enqueued.
        while self.connection.lmove(self._taken(cluster), self.list_key, "RIGHT", "LEFT"):
            returned += 1
        self.connection.delete(self._addressed(cluster))
        self.connection.srem(self._clusters, cluster)
        return returned

    def release_abandoned_claims(self, living: Collection[str]) -> int:
        """The same for all clusters not in `living`."""
        known = {each.decode() for each in self.connection.smembers(self._clusters)}
        return sum(self.release_claims(cluster) for cluster in known - {*living})

    def _take(self) -> bytes | None:
        cluster = cluster_id()
        if cluster is None:
            found = self.connection.blpop(self.list_key, WAIT_SECONDS)
            return None if found is None else bytes(found[1])
        taken = self._taken(cluster)
        self.connection.sadd(self._clusters, cluster)
        task = self.connection.lmove(self._addressed(cluster), taken, "LEFT", "RIGHT")
        if task is None:
            task = self.connection.blmove(self.list_key, taken, WAIT_SECONDS, "LEFT", "RIGHT")
        return None if task is None else bytes(task)

    @property
    def _clusters(self) -> str:
        return f"{self.list_key}:clusters"

    def _taken(self, cluster: str) -> str:
        return f"{self.list_key}:taken:{cluster}"

    def _addressed(self, cluster: str) -> str:
        """The list used by `enqueue` of a broker for `threadsite@ID`."""
        name = self.list_key.removeprefix("django_q:").removesuffix(":q")
        return f"django_q:{name}@{cluster}:q"
