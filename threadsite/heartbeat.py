"""The queue's heartbeat: a small task that shows that workers take and finish tasks."""

from __future__ import annotations

from accounts import queue
from accounts.selectors import processes as running
from accounts.services import periodic_jobs, processes
from followersync.services.sync import dispatcher

#: Far longer than a working queue takes between two heartbeats.
STALE_SECONDS = running.STALE_SECONDS

age = running.work_age
"""Seconds since a worker last proved alive; None before the first time."""


def beat() -> None:
    """Run by the queue: record the heartbeat, and handle what is due or stuck.

    `manage.py queue` enqueues this every five seconds, so that a due account or a dead worker's run
    does not wait for the next minute.
    """
    cluster = queue.cluster_id()
    if cluster is not None:
        processes.worked(cluster)
    periodic_jobs.enqueue_due()
    dispatcher.tick()
