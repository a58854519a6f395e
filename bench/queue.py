"""`python -m bench.queue`: our broker beside django-q2's, in turn, on the same database.

Prints tasks per second for enqueueing and for claiming and acknowledging, and the cost of one poll
of a queue full of claimed tasks. The ratios are the result.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from threadsite import database, environment

TASKS = 2_000
ROUNDS = 3
LOCKED = 50_000
POLLS = 20


def main() -> None:
    """Measure both brokers ROUNDS times each."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "threadsite.settings")
    environment.prepare("sandbox")
    with database.available(needed=True):
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        run()


def run() -> None:
    """One table: broker, tasks enqueued, claimed and polled."""
    from django_q.brokers.orm import ORM

    from threadsite.broker import PostgresBroker

    measured: dict[str, dict[str, list[float]]] = {}
    for _ in range(ROUNDS):
        for name, kind in (("stock ORM", ORM), ("PostgreSQL", PostgresBroker)):
            for what, value in measure(kind("bench")).items():
                measured.setdefault(name, {}).setdefault(what, []).append(value)
    for name, values in measured.items():
        cells = "  ".join(f"{what} {statistics.median(v):10.1f}" for what, v in values.items())
        print(f"{name:12} {cells}")


def measure(broker: Any) -> dict[str, float]:
    """Enqueue and drain TASKS, then poll a queue whose tasks are all claimed."""
    from django.db import connection

    enqueued = timed(lambda: [broker.enqueue("payload" * 20) for _ in range(TASKS)])

    def drain() -> None:
        done = 0
        while done < TASKS:
            for row_id, _ in broker.dequeue() or []:
                broker.acknowledge(row_id)
                done += 1

    drained = timed(drain)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_q_ormq (key, payload, lock) "
            "SELECT 'bench', 'p', now() + interval '1 hour' FROM generate_series(1, %s)",
            [LOCKED],
        )
        cursor.execute("ANALYZE django_q_ormq")
    poll = timed(lambda: poll_often(broker)) / POLLS
    broker.purge_queue()
    return {
        "enqueued/s": TASKS / enqueued,
        "drained/s": TASKS / drained,
        "poll ms": 1000 * poll,
    }


def poll_often(broker: Any) -> None:
    """POLLS polls of a queue without a free task."""
    for _ in range(POLLS):
        claim(broker)


def claim(broker: Any) -> None:
    """One poll for free tasks, without the wait that follows an empty one."""
    if hasattr(broker, "_claim"):
        broker._claim()
    else:
        from django.utils import timezone

        list(broker.get_connection().filter(key="bench", lock__lt=timezone.now())[:2])


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
