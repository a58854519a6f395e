"""What all faults have in common: they come in spells, and touch some part of an answer."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.simulation.population import DAY

if TYPE_CHECKING:
    from tests.simulation.instagram import Instagram

Span = tuple[float, float]
ALWAYS: Span = (10_000.0, 10_000.0)
AT_ONCE: Span = (0.0, 0.0)


class Fault:
    """Comes and goes in spells; does nothing by itself.

    `first`, `lasts`, `pauses`: the least and most days until the first spell, of a spell, and
    between two. `orders`: changes the order of the list. `withheld`: ranks left out; `filled`:
    their rooms are taken by later rows, so that the page is full. `overlap`: rows that the next
    page shows again.
    """

    orders = False

    def __init__(self, rng: Random, first: Span, lasts: Span, pauses: Span) -> None:
        self.rng, self.lasts, self.pauses = rng, lasts, pauses
        self.withheld: set[int] = set()
        self.filled = False
        self.overlap = 0
        self._first: Span | None = first
        self._turns_at = 0
        self._upon = False

    def is_upon(self, to: Instagram) -> bool:
        now = to.world.now
        if self._first is not None:
            self._turns_at, self._first = now + self._days(self._first), None
        if now >= self._turns_at:
            self._upon = not self._upon
            self._turns_at = now + self._days(self.lasts if self._upon else self.pauses)
            if self._upon:
                self.begin(to)
        return self._upon

    def _days(self, span: Span) -> int:
        low, high = span
        if low and high / low > 20:  # from hours to weeks: as many short ones as long
            return round(DAY * low * (high / low) ** self.rng.random())
        return round(DAY * self.rng.uniform(low, high))

    def begin(self, to: Instagram) -> None:
        """A spell begins."""

    def ask(self, to: Instagram, after: str | None) -> None:
        """Before an answer; may raise Transient or Refused."""

    def stale_at(self, to: Instagram) -> int | None:
        """The moment that this answer shows."""
        return None

    def listed(self, to: Instagram, ranks: list[int]) -> list[int]:
        return ranks

    def floor(self, to: Instagram, ranks: list[int]) -> int:
        """The index of the oldest that is shown."""
        return 0

    def order(self, to: Instagram, ranks: list[int]) -> list[int] | None:
        return None

    def leaves_out(self, rows: int) -> int:
        """How many of so many rows single answers leave out, besides those withheld."""
        return 0

    def limit(self, limit: int) -> int:
        return limit

    def shift(self, limit: int, after: str | None) -> int:
        """By how many rows the page begins too early; below 0: too late."""
        return 0

    def answer(
        self, to: Instagram, ranks: list[int], following: str | None
    ) -> tuple[list[int], str | None]:
        return ranks, following

    def count(self, to: Instagram, value: int | None) -> int | None:
        return value
