"""Many accounts at once in one task: most of a sync is waiting for Instagram."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from django.db import connections

from followersync.services import sync

logger = logging.getLogger(__name__)

THREADS = 8


def advance_all(run_ids: Iterable[int]) -> list[int]:
    """A slice of each run, several at a time; returns those that have more to do.

    A run that fails by a bug is logged and closed, and takes no other with it.
    """
    ids = list(run_ids)
    waiting: SimpleQueue[int] = SimpleQueue()
    for run_id in ids:
        waiting.put(run_id)
    more: set[int] = set()
    with ThreadPoolExecutor(min(THREADS, len(ids) or 1), "sync") as threads:
        for done in [threads.submit(_advance_waiting, waiting, more) for _ in range(THREADS)]:
            done.result()
    return [run_id for run_id in ids if run_id in more]


def _advance_waiting(waiting: SimpleQueue[int], more: set[int]) -> None:
    """In a thread of its own, over one connection: to open one costs as much as a quiet sync."""
    try:
        while True:
            run_id = waiting.get_nowait()
            if _advance(run_id):
                more.add(run_id)
    except Empty:
        return
    finally:
        connections.close_all()


def _advance(run_id: int) -> bool:
    try:
        return sync.advance(run_id)
    except Exception:
        logger.exception("run %s failed by a bug", run_id)
        connections.close_all()
        return False
