"""Budgets: the seconds and bytes that one piece of outbound work may use in total.

A timeout per read does not limit the whole: a server that sends a byte every few seconds passes it
indefinitely. So each read and write is charged to the budget in force, and none is possible without
one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class OutOfTime(TimeoutError):
    """The time budget is used up."""


class OutOfBytes(OSError):
    """The byte budget is used up."""


@dataclass
class Budget:
    """What is left. `until` is a reading of `now`, in seconds; `outer` is charged as well."""

    until: float
    bytes_left: int
    now: Callable[[], float]
    outer: Budget | None

    def seconds_left(self) -> float:
        """Raises OutOfTime if there is none."""
        left = self.until - self.now()
        if left <= 0:
            raise OutOfTime
        return min(left, self.outer.seconds_left()) if self.outer else left

    def spend(self, received: int) -> None:
        """Raises OutOfBytes if the budget is exceeded."""
        self.bytes_left -= received
        if self.outer:
            self.outer.spend(received)
        if self.bytes_left < 0:
            raise OutOfBytes

    def is_out_of_time(self) -> bool:
        return self.now() >= self.until or (self.outer is not None and self.outer.is_out_of_time())

    def is_out_of_bytes(self) -> bool:
        return self.bytes_left < 0 or (self.outer is not None and self.outer.is_out_of_bytes())


_in_force: ContextVar[Budget | None] = ContextVar("outbound_budget", default=None)


@contextmanager
def within(
    *, seconds: float, most_bytes: int, now: Callable[[], float] = time.monotonic
) -> Iterator[Budget]:
    """All outbound work inside shares this budget; an outer budget stays in force."""
    budget = Budget(now() + seconds, most_bytes, now, _in_force.get())
    token = _in_force.set(budget)
    try:
        yield budget
    finally:
        _in_force.reset(token)


def in_force() -> Budget:
    """The current budget. RuntimeError: a call without one is a fault in our code."""
    budget = _in_force.get()
    if budget is None:
        raise RuntimeError("an outbound call needs a budget: see accounts.outbound.budget.within")
    return budget
