"""Running processes of the site, and whether the queue works."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Max, QuerySet

from accounts import clock
from accounts.models import SiteProcess

#: A web process reports every 20 s.
LIVE_SECONDS: Final = 75.0
#: A queue reports every 5 s. After so much silence its tasks are given to others.
QUEUE_SILENT_SECONDS: Final = 30.0
#: All workers may be busy for as long as a task may take (120 s) before one takes the heartbeat.
STALE_SECONDS: Final = 150.0


def live_processes() -> QuerySet[SiteProcess]:
    """Web and queue processes that reported recently and have not ended."""
    lately = SiteProcess.objects.filter(seen_at__gt=_seconds_ago(LIVE_SECONDS), left_at=None)
    return lately.order_by("kind", "host")


def live_queues() -> list[str]:
    """The ids of the running queues."""
    return list(_queues().filter(left_at=None).values_list("pk", flat=True))


def work_age(queue: str | None = None) -> float | None:
    """Seconds since a worker (of this queue) last finished a task; None before the first."""
    found = SiteProcess.objects.filter(kind=SiteProcess.Kind.QUEUE)
    if queue is not None:
        found = found.filter(pk=queue)
    last = found.aggregate(last=Max("worked_at"))["last"]
    return None if last is None else float((clock.wall() - last).total_seconds())


def queue_state() -> str:
    """`ok`, or a description of what is wrong with the queue.

    A queue that is being restarted counts as running until it was silent for 30 s.
    """
    if not _queues().exists():
        return "not running"
    age = work_age()
    return "ok" if age is not None and age < STALE_SECONDS else "no worker finishes a task"


def _queues() -> QuerySet[SiteProcess]:
    return SiteProcess.objects.filter(
        kind=SiteProcess.Kind.QUEUE, seen_at__gt=_seconds_ago(QUEUE_SILENT_SECONDS)
    )


def _seconds_ago(seconds: float) -> object:
    return clock.wall() - timedelta(seconds=seconds)
