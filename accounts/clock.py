"""The one source of time: the database's clock, so that hosts with wrong clocks agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import connection

_installed: Callable[[], datetime] | None = None


def now() -> datetime:
    """The present moment, aware, in UTC; not the start of the transaction."""
    if _installed is not None:
        return _installed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def install(source: Callable[[], datetime] | None) -> None:
    """Take the time from elsewhere (tests, simulations); None returns to the database's."""
    global _installed
    _installed = source
