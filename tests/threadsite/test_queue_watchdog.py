"""The queue's watchdog: nothing ends it, a hanging cluster is ended, the dead hold nothing back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import OperationalError, connection
from django_q.models import OrmQ

from accounts.models import ErasureEntry, LinkedAccount, SiteProcess
from accounts.queue import CLUSTER, worker_ids_of
from accounts.selectors import processes as running
from accounts.services import processes
from accounts.services.erasure import erasure_list, restored_backup
from followersync.models import SyncRun
from followersync.services.sync import dispatcher, lease, runs
from tests.support.clock import Clock
from threadsite import cluster_folder, serving, watchdog
from threadsite.broker import PostgresBroker
from threadsite.supervisor import Child, Supervisor, end_group
from threadsite.watchdog import IDLE_PATIENCE, PATIENCE_AFTER_DEATH, Watchdog

#: A cluster has a sentinel below it, and workers below that one.
TREE = "sh -c 'sleep 60 & sleep 60 & echo two; wait' & wait"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    monkeypatch.setenv("THREADSITE_HOME", str(tmp_path))
    (tmp_path / "logs").mkdir()
    child = Child("cluster", ["sh", "-c", TREE])
    Supervisor(folder=tmp_path, environment={"PATH": "/usr/bin:/bin"}).start(child)
    log = tmp_path / "logs" / "cluster.log"
    while "two" not in log.read_text():
        pass
    yield child
    end_group(child, 0)


@pytest.fixture
def dog(cluster: Child, monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    made = Watchdog(cluster, {})
    # This process stands for the cluster's workers.
    monkeypatch.setenv(CLUSTER, made.cluster)
    return made


def kill_one(cluster: Child) -> int:
    victim = psutil.Process(cluster.process.pid).children(recursive=True)[-1]
    victim.kill()
    victim.wait(10)  # until its parent has collected it: one that was not still counts
    return victim.pid


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_does_not_end_it(dog: Watchdog, settings: Any) -> None:
    """Else no list is ever looked at again, on any host, after one restart of the database."""
    address, lost = connection.settings_dict["HOST"], "/nowhere"
    connection.close()
    connection.settings_dict["HOST"] = lost
    try:
        dog.look()
        assert dog._outage.is_ongoing
    finally:
        connection.settings_dict["HOST"] = address

    dog.look_at = 0.0
    dog.look()

    assert not dog._outage.is_ongoing
    assert running.live_queues() == [dog.cluster]
    assert OrmQ.objects.get().key == f"threadsite@{dog.cluster}"


@pytest.mark.django_db(transaction=True)
def test_runs_whose_tasks_ended_with_the_database_are_enqueued_once_it_is_back(
    dog: Watchdog, followed: LinkedAccount
) -> None:
    """They waited for minutes: workers give up what they have in hand while it is away."""
    run = runs.request_sync(account=followed, trigger="member")
    OrmQ.objects.all().delete()
    dog._lost(OperationalError(), 0.0)

    dog.look_at = 0.0
    dog.look()

    (task,) = OrmQ.objects.filter(key="threadsite")
    assert task.func() == dispatcher.TICK
    dispatcher.tick()
    rung = {(each.func(), each.task["args"]) for each in OrmQ.objects.filter(key="threadsite")}
    assert (runs.TASK, (run.pk,)) in rung


@pytest.mark.django_db(transaction=True)
def test_a_database_that_comes_back_as_an_older_one_is_not_worked_on(
    dog: Watchdog, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """Else whoever was erased since the backup is synced again."""
    monkeypatch.setattr(serving, "_known", serving._Known())
    dog.look()
    assert dog.refused == ""
    ErasureEntry.objects.create(
        kind="account", fingerprint="f" * 64, owner_fingerprint="o" * 64, at=clock()
    )
    erasure_list.ship()
    ErasureEntry.objects.all().delete()

    dog._lost(ConnectionError(), 0.0)
    monkeypatch.setattr(restored_backup, "database_identity", lambda: "another server")
    dog.look_at = 0.0
    dog.look()

    assert "older than the list" in dog.refused


@pytest.mark.django_db(transaction=True)
def test_an_outage_is_no_reason_to_take_the_cluster_for_hung(dog: Watchdog) -> None:
    dog.look()
    dog.asked_at -= 1000

    dog._lost(ConnectionError(), 0.0)
    dog.look_at = 0.0
    dog.look()

    assert dog.child.process.poll() is None
    assert OrmQ.objects.count() == 2  # asked anew


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_gives_no_sign_of_life_is_ended(dog: Watchdog) -> None:
    dog.starting = False
    dog.look()
    dog.asked_at -= IDLE_PATIENCE + 1
    dog.look_at = 0.0

    dog.look()

    assert dog.child.process.poll() is not None


@pytest.mark.django_db(transaction=True)
def test_the_sign_of_life_of_another_host_s_cluster_is_none_of_ours(dog: Watchdog) -> None:
    """A hung cluster would be kept alive by the workers of all others."""
    dog.look()
    processes.report("0badf00d", SiteProcess.Kind.QUEUE)
    processes.worked("0badf00d")

    assert running.work_age() is not None
    assert running.work_age(dog.cluster) is None


def test_a_killed_worker_that_took_the_queues_lock_along_stops_nobody_for_minutes(
    dog: Watchdog, cluster: Child
) -> None:
    dog.starting = False
    dog.count_workers(2.0)
    assert dog.heartbeat_limit() == IDLE_PATIENCE

    kill_one(cluster)
    dog.count_workers(3.0)

    assert dog.heartbeat_limit() == PATIENCE_AFTER_DEATH


def test_nobody_is_hasty_while_every_worker_is_at_a_long_task(dog: Watchdog) -> None:
    dog.starting = False
    for worker in dog._processes():
        (Path(os.environ["THREADSITE_HOME"]) / "queue/clusters" / dog.cluster / str(worker)).touch()
    dog.count_workers(2.0)

    assert dog.busy == 2
    assert dog.heartbeat_limit() == dog.patience


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_worker_had_in_hand_goes_on_at_the_next_look(
    dog: Watchdog, cluster: Child, followed: LinkedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member who watches the progress waits for a second or two, not for two minutes."""
    broker = PostgresBroker("threadsite")
    started = runs.request_sync(account=followed, trigger="member")
    OrmQ.objects.all().delete()
    broker.enqueue("a batch that has just begun")
    assert len(broker._claim()) == 1
    dog.count_workers(1.0)
    victim = kill_one(cluster)
    monkeypatch.setattr(os, "getpid", lambda: victim)  # the run was the victim's
    assert lease.take(started.pk) is not None
    monkeypatch.undo()

    dog.look_at = float("inf")
    dog.look()

    assert OrmQ.objects.filter(key="threadsite").count() == 2  # its task, and the run's own
    started.refresh_from_db()
    assert (started.state, started.worker) == ("running", None)
    assert lease.take(started.pk) is not None


@pytest.mark.django_db(transaction=True)
def test_a_living_worker_s_run_is_left_alone(
    dog: Watchdog, cluster: Child, followed: LinkedAccount
) -> None:
    run = runs.request_sync(account=followed, trigger="member")
    assert lease.take(run.pk) is not None
    dog.count_workers(1.0)
    kill_one(cluster)

    dog.look()

    assert lease.take(run.pk) is None
    low, high = worker_ids_of(dog.cluster, os.getpid())
    assert low <= SyncRun.objects.get().worker <= high


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_was_killed_leaves_nothing_in_hand(
    dog: Watchdog, followed: LinkedAccount, tmp_path: Path
) -> None:
    """Its successor on the same host begins with what it left."""
    run = runs.request_sync(account=followed, trigger="member")
    assert lease.take(run.pk) is not None
    former = dog.cluster
    (tmp_path / "queue" / "clusters" / former / "supervisor").write_text("1 0.0")
    processes.report(former, SiteProcess.Kind.QUEUE)

    successor = Watchdog(Child("cluster", []), {})
    successor.find_orphans()
    successor.look()

    assert lease.take(run.pk) is not None
    assert running.live_queues() == [successor.cluster]
    assert list(cluster_folder.orphans()) == []


@pytest.mark.django_db(transaction=True)
def test_a_host_that_was_lost_leaves_nothing_in_hand_either(
    dog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CLUSTER, "0badf00d")
    broker = PostgresBroker("threadsite")
    broker.enqueue("taken by a host that is gone")
    assert len(broker._claim()) == 1
    dog.look()
    assert OrmQ.objects.filter(key="threadsite").count() == 1


def test_nothing_that_it_meets_ends_it(dog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a fault of ours."""

    def fail(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(watchdog, "close_old_connections", fail)

    dog.look()

    assert dog._outage.is_ongoing
