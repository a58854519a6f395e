"""The one source of time: the database's clock, so that hosts with wrong clocks agree.

Where CLOCK_SPEED lets time run faster (demo, soak and tests), it is the clock that the site shares
with the sandbox. What must keep to real time there asks `wall`, or lengthens its span by
`for_real`: leases and alarms, which guard processes, and what strangers' clocks compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from django.db import connection

from accounts.fast_clock import FastClock

_installed: Callable[[], datetime] | None = None
_fast: FastClock | None = None
#: The one moment of a page, once somebody has asked for it; None outside of `one_moment`.
_held: ContextVar[list[datetime] | None] = ContextVar("held moment", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC; not the start of the transaction."""
    held = _held.get()
    if held is None:
        return _read()
    if not held:
        held.append(_read())
    return held[0]


@contextmanager
def one_moment() -> Iterator[None]:
    """Within it `now` says the same each time: for a page, which shows one moment and only reads.

    The database is asked once instead of for each part of the page.
    """
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def _read() -> datetime:
    if _installed is not None:
        return _installed()
    if _fast is not None:
        return _fast.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def install(source: Callable[[], datetime] | None) -> None:
    """Take the time from elsewhere (tests, simulations); None returns to the clock of before."""
    global _installed
    _installed = source


def run_fast(fast: FastClock | None) -> None:
    """From now on the time is that of this clock; None returns to the database's."""
    global _fast
    _fast = fast


def speed() -> float:
    """How many seconds of `now` pass in a real one."""
    return 1.0 if _fast is None else _fast.speed


def for_real(span: timedelta) -> timedelta:
    """How far `now` goes on while so much real time passes."""
    return span * speed()


def real_seconds(span: timedelta) -> float:
    """How many real seconds it takes until `now` has gone on by so much."""
    return span.total_seconds() / speed()


def ahead() -> timedelta:
    """How far `now` is beyond all other clocks; asks nobody where it runs with them."""
    return timedelta() if _fast is None else now() - _fast.wall()


def wall() -> datetime:
    """The moment that all other clocks show."""
    return now() if _fast is None else _fast.wall()
