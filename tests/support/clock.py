"""A clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from accounts import clock as product_clock


class Clock:
    """A settable source of time; `clock()` is the present moment."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **parts: float) -> datetime:
        """Move on by a timedelta's parts (`hours=6`); returns the new moment."""
        self.moment += timedelta(**parts)
        return self.moment


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Install a clock for the test; it begins at the real present, to the second."""
    source = Clock(datetime.now(UTC).replace(microsecond=0))
    product_clock.install(source)
    yield source
    product_clock.install(None)
