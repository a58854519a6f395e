"""The queue in Redis: what a killed worker took comes back, and an outage is waited out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django_q.conf import Conf

from accounts import queue
from accounts.connectivity import GONE
from accounts.queue import CLUSTER
from drills.redis_server import RedisServer, installed
from threadsite.broker import key_of
from threadsite.redis_broker import RedisBroker

pytestmark = pytest.mark.skipif(not installed(), reason="this machine has no redis-server")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = RedisServer(tmp_path / "redis", port)
    monkeypatch.setattr(Conf, "REDIS", running.start())
    yield running
    running.stop()


@pytest.fixture
def broker(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisBroker:
    monkeypatch.setenv(CLUSTER, "0badf00d")
    return RedisBroker("tests")


def take(broker: RedisBroker, number: int = 1) -> list[str]:
    found: list[str] = []
    for _ in range(number):
        found += [payload.decode() for _, payload in broker.dequeue() or []]
    return found


def test_the_oldest_task_is_taken_first_and_forgotten_when_it_is_done(broker: RedisBroker) -> None:
    for number in range(3):
        broker.enqueue(f"task {number}")

    assert take(broker, 3) == ["task 0", "task 1", "task 2"]
    assert broker.lock_size() == 3
    for number in range(3):
        broker.acknowledge(f"task {number}")
    assert (broker.queue_size(), broker.lock_size()) == (0, 0)


def test_what_a_dead_cluster_took_is_given_to_the_next_in_order(broker: RedisBroker) -> None:
    for number in range(3):
        broker.enqueue(f"task {number}")
    take(broker, 2)

    assert broker.release_abandoned_claims(["0badf00d"]) == 0
    assert broker.release_abandoned_claims([]) == 2

    assert take(broker, 3) == ["task 0", "task 1", "task 2"]


def test_a_task_for_one_cluster_is_taken_by_no_other(
    broker: RedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    RedisBroker(key_of("tests", "another1")).enqueue("theirs")
    RedisBroker(key_of("tests", "0badf00d")).enqueue("ours")

    assert take(broker, 2) == ["ours"]
    monkeypatch.setenv(CLUSTER, "another1")
    assert take(broker) == ["theirs"]


def test_a_redis_that_is_away_is_waited_for(broker: RedisBroker, server: RedisServer) -> None:
    server.stop()

    assert broker.dequeue() is None
    assert broker.dequeue() is None
    with pytest.raises(GONE):
        broker.enqueue("lost")

    server.start()
    broker.enqueue("next")
    assert take(broker) == ["next"]


def test_a_redis_that_is_away_fails_nobody_whose_work_is_committed(
    broker: RedisBroker, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be done stands in our own rows; a member would see a fault instead of a page."""
    monkeypatch.setattr(Conf, "BROKER_CLASS", "threadsite.redis_broker.RedisBroker")
    server.stop()

    queue._enqueue("accounts.tasks.wake")


def test_a_redis_that_was_started_anew_is_told_from_the_one_of_before(
    broker: RedisBroker, server: RedisServer
) -> None:
    before = broker.instance()
    assert broker.instance() == before

    server.stop()
    server.start()

    assert broker.instance() != before
