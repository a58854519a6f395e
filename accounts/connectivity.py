"""Lost connections to the database or Redis: recognising them, and waiting with back-off."""

from __future__ import annotations

import logging
import time
from typing import Final

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = logging.getLogger(__name__)

#: A connection broke, was refused or timed out. Drivers' classes where Django does not wrap them.
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
    """Growing pauses while a service is away, and two log lines for each outage."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._since: float | None = None
        self._pause = FIRST_PAUSE

    @property
    def is_ongoing(self) -> bool:
        """Whether the service was away at the last attempt."""
        return self._since is not None

    def record_failure(self, error: Exception) -> float:
        """Record a failure; returns the seconds to wait before the next attempt."""
        if self._since is None:
            self._since, self._pause = time.monotonic(), FIRST_PAUSE
            logger.warning("%s is away (%s), waiting", self._what, type(error).__name__)
        else:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return self._pause

    def record_success(self) -> None:
        """Record a success."""
        if self._since is not None:
            away = time.monotonic() - self._since
            logger.warning("%s is back after %.0f s", self._what, away)
            self._since = None


def wait_for_database(seconds: float) -> bool:
    """Wait up to `seconds` until it answers; whether it does. Not within a transaction."""
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
