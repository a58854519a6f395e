"""The site's clock: the database's time, so that hosts with wrong clocks agree.

With CLOCK_SPEED above 1 (demo, soak and tests) it is the fast clock that site and sandbox share.
Code that needs real time then asks `wall`, or scales its span by `for_real`: leases and alarms,
which guard processes, and times that others compare with their own clocks.
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
#: The moment frozen by `one_moment`, once it was read; None outside of it.
_frozen: ContextVar[list[datetime] | None] = ContextVar("frozen moment", default=None)


def now() -> datetime:
    """The present time, aware, in UTC; not the start of the transaction."""
    frozen = _frozen.get()
    if frozen is None:
        return _read()
    if not frozen:
        frozen.append(_read())
    return frozen[0]


@contextmanager
def one_moment() -> Iterator[None]:
    """Freeze `now` within the block: for a page, which shows one moment and only reads.

    The database is asked once instead of once per part of the page.
    """
    token = _frozen.set([])
    try:
        yield
    finally:
        _frozen.reset(token)


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
    """Replace the time source (tests, simulations); None restores the previous clock."""
    global _installed
    _installed = source


def run_fast(fast: FastClock | None) -> None:
    """Use this fast clock; None returns to the database's."""
    global _fast
    _fast = fast


def speed() -> float:
    """How many seconds of `now` pass in a real second."""
    return 1.0 if _fast is None else _fast.speed


def for_real(span: timedelta) -> timedelta:
    """How far `now` advances during `span` of real time."""
    return span * speed()


def real_seconds(span: timedelta) -> float:
    """How many real seconds pass until `now` has advanced by `span`."""
    return span.total_seconds() / speed()


def ahead() -> timedelta:
    """How far `now` is ahead of real time; zero without a fast clock, without a query."""
    return timedelta() if _fast is None else now() - _fast.wall()


def wall() -> datetime:
    """The real time."""
    return now() if _fast is None else _fast.wall()
