"""Instagram's answers about a population, through whatever faults are upon it; and their record."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from tests.simulation.door import Page
from tests.simulation.fault import Fault
from tests.simulation.population import DAY, HOUR, Population


class Answer(NamedTuple):
    """A page as it was shown: `ranks` in the order shown. `first`, `last`: it began or ended the
    list. `ordered`: newest first, so that it speaks of everybody between its ends."""

    at: int
    ranks: Sequence[int]
    first: bool
    last: bool
    ordered: bool

    def covers(self, rank: int) -> bool:
        """An honest page with these ends would show who stands there."""
        if not self.ordered:
            return False
        if not self.ranks:
            return self.first and self.last
        return (self.first or rank < max(self.ranks)) and (self.last or rank > min(self.ranks))


class Counted(NamedTuple):
    """A count as it was answered. `shown`: how many a whole reading would then have shown;
    `listed`: how many it ought to have shown."""

    at: int
    value: int | None
    shown: int
    listed: int


class View(NamedTuple):
    """The list as one answer sees it: the ranks, ascending, from index `floor` on. `stale_at`: the
    moment it shows, None: now."""

    ranks: list[int]
    floor: int
    stale_at: int | None


class Instagram:
    """A source for the door. `moving`: cursors count rows, which shift while people come and go.

    `offset`: by how many people the count differs from the list even without a fault
    (TheM4hd1/SwiftyInsta#73: 1 to 5 %). `quirks`: the count may also come late by `lag` seconds, be
    one too high or low with a probability of `jitter`, and hold the deactivated (`hidden_counted`;
    OllegK/InstagramHelper#26; misiektoja/instagram_monitor#17).
    """

    def __init__(
        self,
        world: Population,
        rng: Random,
        faults: Sequence[Fault],
        *,
        moving: bool,
        quirks: bool = True,
    ) -> None:
        self.world, self.rng, self.faults, self.moving = world, rng, list(faults), moving
        self.active: list[Fault] = []
        size = len(world.ranks)
        self.offset = rng.choice((0, 0, 0, rng.randint(0, max(1, size // 50)), -rng.randint(0, 2)))
        self.lag = rng.choice((0, 0, HOUR, DAY)) if quirks else 0
        self.jitter = rng.choice((0.0, 0.0, 0.1)) if quirks else 0.0
        self.hidden_counted = quirks and rng.random() < 0.5
        self.calls = self.scan = 0
        self.answers: list[Answer] = []
        self.counts: list[Counted] = []
        self.cursors: list[str] = []
        self.on_page: Callable[[Answer], None] | None = None
        self._then: dict[int, list[int]] = {}

    def heal(self) -> None:
        """All faults end for good."""
        self.faults.clear()
        self.active.clear()
        self._then.clear()

    def begin_sync(self, now: int) -> None:
        self.world.live_until(now)
        self.cursors.clear()

    def then(self, when: int) -> list[int]:
        """The list as it was, to half an hour."""
        when -= when % 1_800
        if when not in self._then:
            if len(self._then) > 8:
                self._then.clear()
            self._then[when] = self.world.ranks_at(when)
        return self._then[when]

    # -- the door ----------------------------------------------------------------------------

    def count(self, now: int) -> int | None:
        self._ask(now, None)
        view = self._view()
        value: int | None = self.true_count(now)
        for fault in self.active:
            value = fault.count(self, value)
        if value is not None:
            value = max(0, value)
        self.counts.append(Counted(now, value, self._shown(view), len(self.world.ranks)))
        return value

    def true_count(self, now: int) -> int:
        """The count without a fault of today."""
        count = self.world.count_at(now - self.lag) + self.offset
        if not self.hidden_counted:
            count -= len(self.world.hidden)
        if self.jitter and self.rng.random() < self.jitter:
            count += self.rng.choice((-1, 1))
        return count

    def page(self, now: int, after: str | None, limit: int) -> Page:
        if after is None:
            self.scan += 1
        self._ask(now, after)
        for fault in self.active:
            limit = fault.limit(limit)
        view = self._view()
        order = self._order(view)
        if order is None:
            ranks, following = self._newest_first(view, after, limit)
        else:
            ranks, following = self._in_order(order, after, limit)
        for fault in self.active:
            ranks, following = fault.answer(self, ranks, following)
        if following is not None:
            self.cursors.append(following)
        answer = Answer(now, ranks, after is None, following is None, order is None)
        self.answers.append(answer)
        return Page(self._rows(ranks, view), following)

    # -- how an answer is made ---------------------------------------------------------------

    def _ask(self, now: int, after: str | None) -> None:
        self.calls += 1
        self.world.live_until(now, rushing=True)
        self.active = [fault for fault in self.faults if fault.is_upon(self)]
        for fault in self.active:
            fault.ask(self, after)

    def _view(self) -> View:
        stale_at, ranks = None, self.world.ranks
        for fault in self.active:
            stale_at = fault.stale_at(self) if stale_at is None else stale_at
        if stale_at is not None:
            ranks = self.then(stale_at)
        floor = 0
        for fault in self.active:
            ranks = fault.listed(self, ranks)
            floor = max(floor, fault.floor(self, ranks))
        return View(ranks, floor, stale_at)

    def _order(self, view: View) -> list[int] | None:
        for fault in self.active:
            order = fault.order(self, view.ranks[view.floor :] if fault.orders else [])
            if order is not None:
                withheld, _ = self._withheld()
                return [rank for rank in order if rank not in withheld] if withheld else order
        return None

    def _withheld(self) -> tuple[set[int], bool]:
        """Ranks left out, and whether their rooms are filled with later rows."""
        withheld: set[int] = set()
        filled = False
        for fault in self.active:
            if fault.withheld:
                withheld = withheld | fault.withheld if withheld else fault.withheld
                filled = filled or fault.filled
        return withheld, filled

    def _shown(self, view: View) -> int:
        withheld, _ = self._withheld()
        ranks, floor = view.ranks, view.floor
        absent = 0
        for rank in withheld:
            index = bisect_left(ranks, rank, floor)
            absent += index < len(ranks) and ranks[index] == rank
        rows = len(ranks) - floor
        return rows - absent - sum(fault.leaves_out(rows) for fault in self.active)

    def _newest_first(
        self, view: View, after: str | None, limit: int
    ) -> tuple[list[int], str | None]:
        ranks, floor = view.ranks, view.floor
        high = len(ranks)
        if after is not None:
            rank, offset = map(int, after.split("."))
            high = high - offset if self.moving else bisect_left(ranks, rank)
        for fault in self.active:
            high += fault.shift(limit, after)
        high = max(floor, min(high, len(ranks)))
        low = max(floor, high - limit)
        rows = ranks[low:high]
        rows.reverse()
        withheld, filled = self._withheld()
        if withheld:
            rows = [rank for rank in rows if rank not in withheld]
            while filled and len(rows) < limit and low > floor:
                low -= 1
                if ranks[low] not in withheld:
                    rows.append(ranks[low])
        if low <= floor:
            return rows, None
        overlap = min(sum(fault.overlap for fault in self.active), (high - low) // 2)
        return rows, f"{ranks[low + overlap]}.{len(ranks) - low - overlap}"

    def _in_order(
        self, order: list[int], after: str | None, limit: int
    ) -> tuple[list[int], str | None]:
        start = 0
        if after is not None:
            rank, start = map(int, after.split("."))
            if not self.moving and rank in order:
                start = len(order) - order[::-1].index(rank)
        for fault in self.active:
            start -= fault.shift(limit, after)
        start = max(0, start)
        rows = order[start : start + limit]
        end = start + len(rows)
        return rows, f"{rows[-1]}.{end}" if rows and end < len(order) else None

    def _rows(self, ranks: Sequence[int], view: View) -> list[tuple[int, str]]:
        by_rank, names = self.world.by_rank, self.world.names
        if view.stale_at is None:
            return [(key := by_rank[rank].key, names[key]) for rank in ranks]
        when = view.stale_at
        return [(key := by_rank[rank].key, self.world.name_at(key, when)) for rank in ranks]
