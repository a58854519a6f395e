"""The database or Redis went away: how that is told from a fault of ours, and waited out."""

from __future__ import annotations

import logging
import time
from typing import Final

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = logging.getLogger(__name__)

#: A connection that broke, was refused or timed out. A driver's own where Django does not wrap it.
GONE: Final = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    RedisConnectionError,
    RedisTimeoutError,
)
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 2.0


class Outage:
    """Pauses that grow while something is away, and two lines in the log for each outage."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._since: float | None = None
        self._pause = FIRST_PAUSE

    @property
    def lasts(self) -> bool:
        """Whether it was away when it was last asked."""
        return self._since is not None

    def goes_on(self, error: Exception) -> float:
        """Note a failure; returns how many seconds to wait before the next try."""
        if self._since is None:
            self._since, self._pause = time.monotonic(), FIRST_PAUSE
            logger.warning("%s is away (%s), waiting", self._what, type(error).__name__)
        else:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return self._pause

    def is_over(self) -> None:
        """Note a success."""
        if self._since is not None:
            away = time.monotonic() - self._since
            logger.warning("%s is back after %.0f s", self._what, away)
            self._since = None


def wait_for_database(seconds: float) -> bool:
    """Wait until it answers, at most so long; whether it does. Not within a transaction."""
    until, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        connection.close()
        try:
            connection.ensure_connection()
        except DatabaseError:
            if time.monotonic() + pause > until:
                return False
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            return True
