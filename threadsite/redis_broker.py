"""django-q2's queue in Redis, whose tasks outlive the worker that took them.

The stock broker takes a task off its list and forgets it: what a killed cluster had in hand is
gone. Here a task moves to a list of its cluster's own until it is finished, and goes back when the
cluster dies. Where Redis goes away it is waited for.
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

#: How long an empty queue is waited for; it also bounds how late a stop is noticed.
WAIT_SECONDS: Final = 1
#: A server that says nothing for so long is taken for away.
TIMEOUT_SECONDS: Final = 10
#: A member's request may be what enqueues.
CONNECT_SECONDS: Final = 3
ACKNOWLEDGE_SECONDS: Final = 120.0


@cache
def _client(address: str) -> redis.Redis:
    """One pool of connections for each process (it looks after forks itself)."""
    return redis.Redis.from_url(
        address,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        health_check_interval=30,
        # A connection that has gone stale is replaced; all other waiting is ours.
        retry=Retry(NoBackoff(), 1),
    )


class RedisBroker(Redis):  # type: ignore[misc]
    """At-least-once delivery, oldest first."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._outage = Outage("Redis")

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """A client that neither waits for ever nor fails for a connection that has gone stale."""
        return _client(Conf.REDIS)

    def ping(self) -> bool:
        """The cluster starts whether Redis is there or not: `dequeue` waits for it."""
        return True

    def dequeue(self) -> list[tuple[str, bytes]] | None:
        """One task as (its own text, payload); None after a quiet wait."""
        try:
            task = self._take()
        except GONE as error:
            time.sleep(self._outage.goes_on(error))
            return None
        self._outage.is_over()
        return None if task is None else [(task.decode(), task)]

    def acknowledge(self, task_id: str) -> None:
        """Forget a finished task; waits for Redis, else it would run again."""
        until = time.monotonic() + ACKNOWLEDGE_SECONDS
        while True:
            try:
                self.connection.lrem(self._taken(cluster_id() or ""), 1, task_id)
            except GONE as error:
                if time.monotonic() > until:
                    raise
                time.sleep(self._outage.goes_on(error))
            else:
                self._outage.is_over()
                return

    def fail(self, task_id: str) -> None:
        """A task that nobody can read."""
        self.acknowledge(task_id)

    def lock_size(self) -> int:
        """How many tasks are in hand."""
        known = self.connection.smembers(self._clusters)
        return sum(int(self.connection.llen(self._taken(each.decode()))) for each in known)

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """What monitors show, twice a second."""
        with suppress(*GONE):
            super().set_stat(key, value, timeout)

    def instance(self) -> str | None:
        """What changes when the queue may have lost its tasks: Redis draws it at each start."""
        return str(self.connection.info("server")["run_id"])

    def give_back(self, cluster: str) -> int:
        """Let others have what this cluster took and will not finish; returns how many tasks."""
        returned = 0
        # From the end to the front of both: in the order in which they were enqueued.
        while self.connection.lmove(self._taken(cluster), self.list_key, "RIGHT", "LEFT"):
            returned += 1
        self.connection.delete(self._addressed(cluster))
        self.connection.srem(self._clusters, cluster)
        return returned

    def give_back_abandoned(self, living: Collection[str]) -> int:
        """The same for all clusters but the `living`."""
        known = {each.decode() for each in self.connection.smembers(self._clusters)}
        return sum(self.give_back(cluster) for cluster in known - {*living})

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
        """Where `enqueue` of a broker for `threadsite@NUMBER` puts a task."""
        name = self.list_key.removeprefix("django_q:").removesuffix(":q")
        return f"django_q:{name}@{cluster}:q"
