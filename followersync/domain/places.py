"""Places: numbers for the people of one page who have none yet or only an unsure one."""

from __future__ import annotations

from collections.abc import Mapping, Set

from followersync.domain.page_order import RUN_NEEDED, PageOrder, ScanPosition, is_sure, longest_run
from followersync.domain.state import GAP, TOP
from followersync.domain.values import Added, AddedKind, Moved, StoredConnection


def kind_of(key: int, lost_before: Set[int], baseline: bool, *, new: bool) -> AddedKind:
    """How a person not in the list is added."""
    if key in lost_before:
        return AddedKind.RETURNED
    if baseline:
        return AddedKind.BASELINE
    return AddedKind.GAINED if new else AddedKind.FOUND


class PlaceAssignment:
    """Gives places to the unknown and the unsure rows of one page, group by group.

    A group is what stands between two rows of the run (or before the first, after the last).
    """

    def __init__(
        self,
        order: PageOrder,
        known: Mapping[int, StoredConnection],
        lost_before: Set[int],
        position: ScanPosition,
    ) -> None:
        self.order = order
        self.unique = order.unique
        self.known = known
        self.lost_before = lost_before
        self.position = position
        self.run = frozenset(order.run)
        self.clean = order.clean
        self.floor = position.floor
        self.added: list[Added] = []
        self.moved: list[Moved] = []
        self.doubt: list[tuple[int, int]] = []
        self.among = False
        """Strangers were found below so many of the run that they were not added on top of it."""
        self._passed = 0

    def place_all(self) -> None:
        above: int | None = None
        group: list[int] = []
        for index, (key, _) in enumerate(self.unique):
            if index in self.run:
                below = self.known[key].place
                self._place(group, above, below)
                group = []
                above = below
                self._passed += 1
                self.floor = min(self.floor, below)
            elif not (key in self.known and is_sure(self.known[key], self.position)):
                group.append(index)
        self._place(group, above, None)

    def _place(self, group: list[int], above: int | None, below: int | None) -> None:
        if not group:
            return
        top_of_list = above is None and self.position.at_top
        high, step = self._room(len(group), above, below)
        new = top_of_list and (
            self.order.in_order or (len(self.order.sure) < RUN_NEEDED and self.position.growing)
        )
        sure = top_of_list and self.clean and self.position.first and step > 0
        fitting = self._fitting(group, above, below)
        if fitting and above is not None and below is not None:
            self.doubt.append((below, above))
        strangers = 0
        for at, index in enumerate(group, start=1):
            if index in fitting:
                self.moved.append(Moved(self.unique[index][0], fitting[index], sure=True))
                continue
            strangers += not self._is_known(index)
            expected = not 0 < strangers - self.position.expected <= self.position.hidden
            self._assign(index, high - at * step, sure=sure, new=new and expected)
        if below is None:
            self.floor = high - len(group) * step

    def _fitting(self, group: list[int], above: int | None, below: int | None) -> dict[int, int]:
        """People seen a second time where an earlier page put them: they become sure there.

        Never at a page's end, which may be the list's: the list may be cut off there, and a person
        placed too low would then be evidence that all between them and their true place are gone.
        """
        if not self.clean or not self.position.settles or below is None:
            return {}
        if above is None:
            if not self.position.at_top:
                return {}
            above = TOP
            strangers = [at for at, index in enumerate(group) if not self._is_known(index)]
            group = group[strangers[-1] + 1 :] if strangers else group
        places = [
            (index, self.known[self.unique[index][0]].place)
            for index in group
            if self._is_known(index) and below < self.known[self.unique[index][0]].place < above
        ]
        run = longest_run([place for _, place in places])
        return dict(places[at] for at in run)

    def _is_among(self) -> bool:
        """A few above may have left and come back on top, whose places are still the highest."""
        return not self.position.first or self._passed >= RUN_NEEDED

    def _is_known(self, index: int) -> bool:
        return self.unique[index][0] in self.known

    def _room(self, count: int, above: int | None, below: int | None) -> tuple[int, int]:
        """The upper bound and the step for `count` places; step 0: no room."""
        if above is None:
            high = self.position.floor
            if below is None or high - below > GAP * (count + 1):
                return high, GAP
            if high <= below:
                return below + GAP * (count + 1), GAP
        else:
            high = above
        if below is None:
            return high, GAP
        return high, (high - below) // (count + 1)

    def _assign(self, index: int, place: int, *, sure: bool, new: bool) -> None:
        key, username = self.unique[index]
        row = self.known.get(key)
        if row is None:
            new = new and key in self.order.once
            kind = kind_of(key, self.lost_before, self.position.baseline, new=new)
            self.added.append(Added(key, username, place, sure, kind))
            self.among = self.among or (kind is AddedKind.FOUND and self._is_among())
        elif self.clean and place != row.place:
            self.moved.append(Moved(key, place, sure=False))
