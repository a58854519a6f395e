from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from threadsite.management.commands.queue import PATIENCE_AFTER_DEATH, Watchdog
from threadsite.supervisor import Child, Supervisor, end_group


@pytest.fixture
def cluster(tmp_path) -> Iterator[Child]:
    """A process with two others below it, as the queue's cluster has its workers."""
    (tmp_path / "logs").mkdir()
    child = Child("cluster", ["sh", "-c", "sleep 60 & sleep 60 & echo two; wait"])
    Supervisor(folder=tmp_path, environment={"PATH": "/usr/bin:/bin"}).start(child)
    log = tmp_path / "logs" / "cluster.log"
    while "two" not in log.read_text():
        pass
    yield child
    end_group(child, 0)


def test_a_killed_worker_that_took_the_queues_lock_along_stops_nobody_for_minutes(
    cluster: Child,
) -> None:
    watchdog = Watchdog(cluster)
    watchdog.answered_at = 1.0
    watchdog.count_workers(2.0)
    assert watchdog.patience_now() > 2 * PATIENCE_AFTER_DEATH

    victim = psutil.Process(cluster.process.pid).children()[0]
    victim.kill()
    victim.wait(10)
    watchdog.count_workers(3.0)
    watchdog.count_workers(4.0)

    assert watchdog.patience_now() == PATIENCE_AFTER_DEATH
    # Who answers after a death is well: one death makes nobody hasty for ever.
    watchdog.answered_at = 5.0
    assert watchdog.patience_now() > PATIENCE_AFTER_DEATH
