"""Instagram's answers about a world, with every fault that a list of followers is known to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.simulation.world import DAY, World

Rows = list[tuple[int, str]]
STICKY = ("cut", "empty", "shuffle", "count", "duplicate", "truncate")
STICKS_FOR = 8
"""Syncs that a sticking fault may last."""


class Failed(Exception):
    """The request was answered by an error."""


@dataclass
class Lister:
    """`moving`: pages are counted by offset, so rows shift between them while people come and go.

    `offset`, `lag` (seconds), `jitter`: how the count differs from the list even without a fault.
    """

    world: World
    rng: Random
    faults: dict[str, float]
    moving: bool = False
    offset: int = 0
    lag: int = 0
    jitter: float = 0.0
    stuck: dict[str, int] = field(default_factory=dict)
    cut_to: float = 1.0
    order_seed: int = 0
    calls: int = 0
    cursors: list[str] = field(default_factory=list)

    def begin_sync(self) -> None:
        self.stuck = {name: left - 1 for name, left in self.stuck.items() if left > 1}
        self.cursors = []

    def heal(self) -> None:
        self.faults, self.stuck = {}, {}

    def strikes(self, fault: str) -> bool:
        if fault in self.stuck:
            return True
        if self.rng.random() >= self.faults.get(fault, 0.0):
            return False
        if fault in STICKY and self.rng.random() < 0.4:
            self.stuck[fault] = self.rng.randint(1, STICKS_FOR)
        if fault == "cut":
            self.cut_to = 0.0 if self.rng.random() < 0.5 else self.rng.uniform(0.5, 1.0)
        self.order_seed = self.rng.randrange(1 << 30)
        return True

    def count(self) -> int:
        self.calls += 1
        if self.strikes("error"):
            raise Failed
        count = self.world.count_at(self.world.now - self.lag) + self.offset
        if self.rng.random() < self.jitter:
            count += self.rng.choice((-1, 1))
        if self.strikes("count"):
            wrong = (0, count // 2, count * 2, count + self.rng.randint(-9, 9), 1)
            count = self.rng.choice(wrong)
        return max(0, count)

    def page(self, after: str | None, limit: int) -> tuple[Rows, str | None]:
        self.calls += 1
        if self.strikes("error"):
            raise Failed
        listed = self.world.listed()
        if self.strikes("cut"):
            keep = int(len(listed) * self.cut_to) if self.cut_to else len(listed) - 1
            listed = listed[: max(0, keep)]
        start = self._start(listed, after)
        rows = listed[start : start + limit]
        more = start + limit < len(listed)
        following = None
        if more:
            following = str(start + limit) if self.moving else str(rows[-1][0])
        page = [(key, name) for _, key, name in rows]
        return self._spoil(page, following)

    def _start(self, listed: list[tuple[int, int, str]], after: str | None) -> int:
        if after is None:
            return 0
        if self.moving:
            return int(after)
        rank = int(after)
        low, high = 0, len(listed)
        while low < high:
            middle = (low + high) // 2
            if listed[middle][0] >= rank:
                low = middle + 1
            else:
                high = middle
        return low

    def _spoil(self, page: Rows, following: str | None) -> tuple[Rows, str | None]:
        if self.strikes("empty"):
            return [], following if self.rng.random() < 0.3 else None
        if len(page) > 1 and self.strikes("truncate"):
            page = page[: -self.rng.randint(1, max(1, len(page) // 2))]
        if len(page) > 1 and self.strikes("shuffle"):
            self._shuffle(page)
        if len(page) > 1 and self.strikes("duplicate"):
            self._duplicate(page)
        if following is not None:
            if self.cursors and self.strikes("loop"):
                return page, self.rng.choice(self.cursors)
            self.cursors.append(following)
        return page, following

    def _shuffle(self, page: Rows) -> None:
        """The whole page, or a few neighbours; the same each time while it sticks."""
        rng = Random(self.order_seed)
        if rng.random() < 0.5:
            rng.shuffle(page)
            return
        for _ in range(rng.randint(1, 3)):
            one, other = rng.randrange(len(page)), rng.randrange(len(page))
            page[one], page[other] = page[other], page[one]

    def _duplicate(self, page: Rows) -> None:
        """Rows come twice: beside the others, or in the place of others."""
        for _ in range(self.rng.randint(1, 3)):
            row = self.rng.choice(page)
            at = self.rng.randrange(len(page))
            if self.rng.random() < 0.5:
                page[at] = row
            else:
                page.insert(at, row)


def count_quirks(rng: Random, size: int) -> tuple[int, int, float]:
    """An account's offset, lag and jitter of the count."""
    offset = rng.choice((0, 0, 0, rng.randint(0, max(1, size // 50)), -rng.randint(0, 2)))
    return offset, rng.choice((0, 0, 3600, DAY)), rng.choice((0.0, 0.0, 0.1))
