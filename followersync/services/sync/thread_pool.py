"""Thread pool: advances many runs at once in one task, since syncs mostly wait for Instagram."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from django.db import close_old_connections, connections

from accounts import log_context
from accounts.connectivity import GONE
from followersync.services.sync import runs

logger = logging.getLogger(__name__)

THREADS = 8
# How long an idle thread and its connection live.
IDLE_SECONDS = 20.0

Job = tuple[int, Future[bool]]


def advance_all(run_ids: Iterable[int]) -> list[int]:
    """Advance each run by a slice, several at a time; returns those that have more to do.

    A run that fails by a bug is logged and closed, and affects no other.
    """
    begun = [(run_id, _crew.begin(run_id)) for run_id in run_ids]
    return [run_id for run_id, more in begun if more.result()]


class SyncThreadPool:
    """Threads that live for several tasks, each with its own connection.

    Opening a connection costs more than a sync without changes.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Job] = SimpleQueue()
        self._lock = Lock()
        self._threads = self._idle = 0

    def begin(self, run_id: int) -> Future[bool]:
        """Advance the run as soon as a thread is free."""
        more: Future[bool] = Future()
        with self._lock:
            self._waiting.put((run_id, more))
            if self._threads < THREADS and self._idle < self._waiting.qsize():
                self._threads += 1
                Thread(target=self._work, name="sync", daemon=True).start()
        return more

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                run_id, more = job
                try:
                    more.set_result(_advance(run_id))
                except BaseException as error:
                    more.set_exception(error)
                    with self._lock:
                        self._threads -= 1
                    raise
        finally:
            connections.close_all()

    def _next(self) -> Job | None:
        """The next job, None after an idle time: then this thread is no longer counted."""
        with suppress(Empty):
            return self._waiting.get_nowait()
        job: Job | None = None
        with self._lock:
            self._idle += 1
        with suppress(Empty):
            job = self._waiting.get(timeout=IDLE_SECONDS)
        with self._lock:
            self._idle -= 1
            if job is None:
                # A job that was added at the last moment relies on this thread.
                with suppress(Empty):
                    job = self._waiting.get_nowait()
            if job is None:
                self._threads -= 1
        close_old_connections()
        return job


def _advance(run_id: int) -> bool:
    with log_context.about(run=run_id):
        try:
            return runs.advance(run_id)
        except GONE as error:
            # The watchdog enqueues it again once the database is back.
            logger.warning("run %s is left for later (%s)", run_id, type(error).__name__)
            connections.close_all()
            return False
        except Exception:
            logger.exception("run %s failed by a bug", run_id)
            connections.close_all()
            return False


_crew = SyncThreadPool()


def _renew() -> None:
    global _crew
    _crew = SyncThreadPool()


# A child process has none of its parent's threads.
os.register_at_fork(after_in_child=_renew)
