"""Instagram's answers without a fault, for tests of the domain's steps."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.door import Page
from tests.simulation.world import World


@dataclass
class Lister:
    """Shows a world newest first; a cursor names the last row shown."""

    world: World
    calls: int = 0

    @property
    def now(self) -> int:
        return self.world.now

    def tick(self, seconds: int) -> None:
        self.world.live(seconds, 0.0)

    def count(self) -> int:
        self.calls += 1
        return len(self.world.people)

    def page(self, after: str | None, limit: int) -> Page:
        self.calls += 1
        listed = self.world.listed()
        start = 0 if after is None else self._start(listed, int(after))
        rows = listed[start : start + limit]
        more = start + limit < len(listed)
        return Page([(key, name) for _, key, name in rows], str(rows[-1][0]) if more else None)

    def _start(self, listed: list[tuple[int, int, str]], rank: int) -> int:
        """The first row below a rank."""
        low, high = 0, len(listed)
        while low < high:
            middle = (low + high) // 2
            if listed[middle][0] >= rank:
                low = middle + 1
            else:
                high = middle
        return low
