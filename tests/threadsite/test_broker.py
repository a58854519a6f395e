"""The queue's claims on PostgreSQL: nothing is lost, nothing runs twice, the oldest goes first."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction
from django_q.conf import Conf
from django_q.models import OrmQ

from accounts.queue import CLUSTER
from threadsite.broker import PostgresBroker, key_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker() -> PostgresBroker:
    return PostgresBroker("tests")


@pytest.fixture
def in_cluster(monkeypatch: pytest.MonkeyPatch) -> str:
    """This process belongs to a cluster that a watchdog has given a number."""
    monkeypatch.setenv(CLUSTER, "0badf00d")
    return "0badf00d"


def claim_all(broker: PostgresBroker) -> list[str]:
    found: list[str] = []
    while tasks := broker._claim():
        found += [payload for _, payload in tasks]
    return found


def test_the_oldest_task_is_claimed_first(broker):
    for number in range(5):
        broker.enqueue(f"task {number}")

    assert claim_all(broker) == [f"task {number}" for number in range(5)]


def test_a_claimed_task_is_not_given_to_a_second_worker(broker):
    broker.enqueue("only once")

    assert len(broker._claim()) == 1
    assert broker._claim() == []
    assert broker.lock_size() == 1


def test_a_task_of_a_dead_worker_is_given_out_again_after_the_retry_time(broker):
    broker.enqueue("survivor")
    ((row_id, _),) = broker._claim()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_ormq SET lock = clock_timestamp() - interval '1 second'")

    assert broker._claim() == [(row_id, "survivor")]


def test_an_acknowledged_task_is_gone(broker):
    broker.enqueue("done")
    ((row_id, _),) = broker._claim()

    broker.acknowledge(row_id)

    assert not OrmQ.objects.exists()


def test_a_task_of_a_rolled_back_transaction_never_runs(broker):
    with transaction.atomic():
        broker.enqueue("never")
        transaction.set_rollback(True)

    assert broker._claim() == []


def test_another_cluster_s_tasks_are_left_alone(broker):
    PostgresBroker("other").enqueue("not ours")

    assert broker._claim() == []


def test_workers_claiming_at_once_share_the_tasks_without_overlap(broker):
    for number in range(60):
        broker.enqueue(str(number))
    found: list[str] = []

    def work() -> None:
        try:
            found.extend(claim_all(PostgresBroker("tests")))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(map(int, found)) == list(range(60))


def test_an_idle_worker_wakes_when_a_task_is_committed_and_not_at_the_next_poll(broker):
    woken = threading.Event()
    ready = threading.Event()

    def wait() -> None:
        try:
            waiting = PostgresBroker("tests")
            waiting.dequeue()  # subscribes
            ready.set()
            while not waiting.dequeue():
                pass
            woken.set()
        finally:
            connection.close()

    worker = threading.Thread(target=wait)
    worker.start()
    assert ready.wait(10)
    started = time.monotonic()

    broker.enqueue("wake up")

    assert woken.wait(10)
    worker.join()
    assert time.monotonic() - started < 10


def test_the_bulk_setting_bounds_a_claim(broker):
    for number in range(Conf.BULK + 1):
        broker.enqueue(str(number))

    assert len(broker._claim()) == Conf.BULK


def test_what_a_dead_cluster_claimed_is_given_to_the_next_at_once(broker, in_cluster):
    broker.enqueue("first")
    broker.enqueue("second")
    assert len(broker._claim()) == 2
    assert broker._claim() == []

    assert broker.release_claims(in_cluster) == 2

    assert claim_all(broker) == ["first", "second"]


def test_what_a_living_cluster_claimed_is_left_to_it(broker, in_cluster):
    broker.enqueue("in hand")
    broker._claim()

    assert broker.release_abandoned_claims([in_cluster]) == 0
    assert broker.release_abandoned_claims([]) == 1


def test_a_task_for_one_cluster_is_taken_by_no_other(broker, in_cluster):
    """The watchdog's: it shows whether this very cluster works."""
    PostgresBroker(key_of("tests", "another1")).enqueue("theirs")
    PostgresBroker(key_of("tests", in_cluster)).enqueue("ours")

    assert claim_all(broker) == ["ours"]


def test_a_database_that_goes_away_is_waited_for(broker):
    broker.enqueue("survivor")
    broker.dequeue()
    broker._claim()
    broker.enqueue("next")
    address = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        assert broker.dequeue() is None
        assert broker._outage.is_ongoing
    finally:
        connection.settings_dict["HOST"] = address

    assert [payload for _, payload in broker.dequeue()] == ["next"]
    assert not broker._outage.is_ongoing


def test_a_connection_that_broke_does_not_let_a_finished_task_run_again(broker):
    broker.enqueue("done")
    ((row_id, _),) = broker._claim()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
        connection.close()

    ending = threading.Thread(target=end)
    ending.start()
    ending.join()
    broker.acknowledge(row_id)

    assert not OrmQ.objects.exists()


def test_a_broker_can_be_made_while_the_database_is_away():
    """Else a cluster that starts before its database ends, and starts ever more slowly."""
    address = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        assert PostgresBroker("tests").dequeue() is None
    finally:
        connection.settings_dict["HOST"] = address
