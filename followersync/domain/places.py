"""Places: numbers for the people of one page who have none yet or only an unsure one."""

from __future__ import annotations

from collections.abc import Mapping, Set

from followersync.domain.page_order import RUN_NEEDED, PageOrder, Walk, is_sure, longest_run
from followersync.domain.state import GAP, TOP
from followersync.domain.values import Added, AddedKind, Moved, StoredConnection


def kind_of(key: int, lost_before: Set[int], baseline: bool, *, new: bool) -> AddedKind:
    """How a person not in the list is added."""
    if key in lost_before:
        return AddedKind.RETURNED
    if baseline:
        return AddedKind.BASELINE
    return AddedKind.GAINED if new else AddedKind.FOUND


class Placing:
    """Gives places to the unknown and the unsure rows of one page, group by group.

    A group is what stands between two rows of the run (or before the first, after the last).
    """

    def __init__(
        self,
        order: PageOrder,
        known: Mapping[int, StoredConnection],
        lost_before: Set[int],
        walk: Walk,
    ) -> None:
        self.order = order
        self.unique = order.unique
        self.known = known
        self.lost_before = lost_before
        self.walk = walk
        self.run = frozenset(order.run)
        self.clean = order.clean
        self.floor = walk.floor
        self.added: list[Added] = []
        self.moved: list[Moved] = []
        self.doubt: list[tuple[int, int]] = []
        self.among = False
        """Strangers were found below so many of the run that they were not added on top of it."""
        self._passed = 0

    def place_all(self) -> None:
        above: int | None = None
        stretch: list[int] = []
        for index, (key, _) in enumerate(self.unique):
            if index in self.run:
                below = self.known[key].place
                self._place(stretch, above, below)
                stretch = []
                above = below
                self._passed += 1
                self.floor = min(self.floor, below)
            elif not (key in self.known and is_sure(self.known[key], self.walk)):
                stretch.append(index)
        self._place(stretch, above, None)

    def _place(self, stretch: list[int], above: int | None, below: int | None) -> None:
        if not stretch:
            return
        top_of_list = above is None and self.walk.at_top
        high, step = self._room(len(stretch), above, below)
        new = top_of_list and (
            self.order.in_order or (len(self.order.sure) < RUN_NEEDED and self.walk.growing)
        )
        sure = top_of_list and self.clean and self.walk.first and step > 0
        fitting = self._fitting(stretch, above, below)
        if fitting and above is not None and below is not None:
            self.doubt.append((below, above))
        strangers = 0
        for at, index in enumerate(stretch, start=1):
            if index in fitting:
                self.moved.append(Moved(self.unique[index][0], fitting[index], sure=True))
                continue
            strangers += not self._is_known(index)
            expected = not 0 < strangers - self.walk.expected <= self.walk.hidden
            self._give(index, high - at * step, sure=sure, new=new and expected)
        if below is None:
            self.floor = high - len(stretch) * step

    def _fitting(self, stretch: list[int], above: int | None, below: int | None) -> dict[int, int]:
        """People seen a second time where an earlier page put them: they become sure there.

        Never at a page's end, which may be the list's: the list may be cut off there, and a person
        placed too low would then be evidence that all between them and their true place are gone.
        """
        if not self.clean or not self.walk.settles or below is None:
            return {}
        if above is None:
            if not self.walk.at_top:
                return {}
            above = TOP
            strangers = [at for at, index in enumerate(stretch) if not self._is_known(index)]
            stretch = stretch[strangers[-1] + 1 :] if strangers else stretch
        places = [
            (index, self.known[self.unique[index][0]].place)
            for index in stretch
            if self._is_known(index) and below < self.known[self.unique[index][0]].place < above
        ]
        run = longest_run([place for _, place in places])
        return dict(places[at] for at in run)

    def _is_among(self) -> bool:
        """A few above may have left and come back on top, whose places are still the highest."""
        return not self.walk.first or self._passed >= RUN_NEEDED

    def _is_known(self, index: int) -> bool:
        return self.unique[index][0] in self.known

    def _room(self, count: int, above: int | None, below: int | None) -> tuple[int, int]:
        """The upper bound and the step for `count` places; step 0: no room."""
        if above is None:
            high = self.walk.floor
            if below is None or high - below > GAP * (count + 1):
                return high, GAP
            if high <= below:
                return below + GAP * (count + 1), GAP
        else:
            high = above
        if below is None:
            return high, GAP
        return high, (high - below) // (count + 1)

    def _give(self, index: int, place: int, *, sure: bool, new: bool) -> None:
        key, username = self.unique[index]
        row = self.known.get(key)
        if row is None:
            new = new and key in self.order.once
            kind = kind_of(key, self.lost_before, self.walk.baseline, new=new)
            self.added.append(Added(key, username, place, sure, kind))
            self.among = self.among or (kind is AddedKind.FOUND and self._is_among())
        elif self.clean and place != row.place:
            self.moved.append(Moved(key, place, sure=False))
