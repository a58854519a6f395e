"""The queue's heartbeat: a small task that shows that a worker took and finished it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.core.cache import cache

from accounts import clock
from followersync.services import dispatch

KEY: Final = "threadsite:queue-heartbeat"
#: Far more than the queue ever takes between two beats while it works.
STALE_SECONDS: Final = 150.0


def beat() -> None:
    """Run by the queue: write down that it lives, and see what is due or stuck.

    django-q2's own scheduler looks twice a minute at most; `manage.py queue` rings this more
    often, so that a due account or a dead worker's run does not wait for it.
    """
    cache.set(KEY, clock.wall().isoformat(), timeout=None)
    dispatch.tick()


def age() -> float | None:
    """Seconds since the last beat; None before the first."""
    last = cache.get(KEY)
    if last is None:
        return None
    return (clock.wall() - datetime.fromisoformat(last)).total_seconds()
