"""Order of a page: which of its people stand in the stored order and which do not."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from followersync.domain.values import PageFault, StoredConnection

RUN_NEEDED = 5
"""The least sure people in our order that say anything about order: by chance it is 1 in 120."""


@dataclass(frozen=True, slots=True)
class ScanPosition:
    """Where a page stands in a scan.

    `floor`: the lowest place given or read so far in the scan. `at_top`: no sure row was read yet
    in a scan from the top. `first`: the page begins at the top. `confirming`: the places come from
    one scan only, and people who contradict it become unsure; later a whole page in disorder says
    nothing about single rows. `zone`: places up to it belong to an older numbering and are ignored.
    `settles`: a place seen a second time becomes sure; not on a page read again within seconds,
    which repeats a lasting fault. `growing`: by the count nobody was missing before, or somebody
    has come: strangers on top are new even where too few known people stand below them. `hidden`:
    so many strangers may have been there all along, unless they are among the `expected`, by whom
    the count has risen.
    """

    floor: int
    at_top: bool
    first: bool
    baseline: bool
    renumber: bool
    confirming: bool
    zone: int = 0
    settles: bool = True
    growing: bool = True
    hidden: int = 0
    expected: int = 0


@dataclass(frozen=True, slots=True)
class PageOrder:
    """`unique`: the rows without repeats. `sure`: indexes into it of people whose place is known,
    `run`: of those in our order; `once`: keys that are not repeated (a repeated row has no place).
    `back_on_top`: those out of order are all above the others, at the list's top, as people are who
    left and came back."""

    unique: list[tuple[int, str]]
    sure: list[int]
    run: list[int]
    once: frozenset[int]
    repeats: bool
    back_on_top: bool

    @property
    def out(self) -> int:
        """How many are out of order."""
        return len(self.sure) - len(self.run)

    @property
    def in_order(self) -> bool:
        return len(self.run) >= RUN_NEEDED and (not self.out or self.back_on_top)

    @property
    def clean(self) -> bool:
        """Whether the page may be evidence, and give places."""
        return self.in_order and not self.repeats

    @property
    def orderly(self) -> bool:
        """A few may be out of order; it is still this part of the list."""
        few = self.out <= max(1, len(self.sure) // 10)
        return not self.repeats and len(self.run) >= RUN_NEEDED and few

    @property
    def spoiled(self) -> PageFault | None:
        if not self.unique:
            return PageFault.EMPTY
        if self.repeats:
            return PageFault.REPEATS
        if self.out and not self.clean:
            return PageFault.ORDER
        return None if self.orderly else PageFault.STRANGERS


def page_order(
    rows: Sequence[tuple[int, str]], known: Mapping[int, StoredConnection], position: ScanPosition
) -> PageOrder:
    """Compare a page with the stored places."""
    counts = Counter(key for key, _ in rows)
    once = frozenset(key for key, count in counts.items() if count == 1)
    repeats = len(once) < len(rows)
    unique = list(dict(reversed(rows)).items())[::-1] if repeats else list(rows)
    sure = [
        index
        for index, (key, _) in enumerate(unique)
        if key in once and key in known and is_sure(known[key], position)
    ]
    run = [sure[at] for at in longest_run([known[unique[index][0]].place for index in sure])]
    kept = frozenset(run)
    back_on_top = position.first and all(index in kept or index < run[0] for index in sure)
    return PageOrder(unique, sure, run, once, repeats, back_on_top)


def is_sure(row: StoredConnection, position: ScanPosition) -> bool:
    return row.sure and row.place > position.zone


def longest_run(places: Sequence[int]) -> list[int]:
    """Indexes of a longest strictly falling run of places (patience sorting, O(n log n))."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, place in enumerate(places):
        at = bisect_left(tails, -place)
        before.append(last[at - 1] if at else -1)
        if at == len(tails):
            tails.append(-place)
            last.append(index)
        else:
            tails[at] = -place
            last[at] = index
    run = []
    index = last[-1] if last else -1
    while index >= 0:
        run.append(index)
        index = before[index]
    return run[::-1]
