"""Difference between a page and the stored list: added, renamed and moved people, and evidence.

A page shows a contiguous part of the list at one moment, so everything is decided on the page
alone; between two pages a moving cursor may skip people.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from followersync.domain.page_order import RUN_NEEDED, PageOrder, ScanPosition, page_order
from followersync.domain.places import PlaceAssignment, kind_of
from followersync.domain.state import GAP, TOP
from followersync.domain.values import (
    Added,
    Moved,
    PageFault,
    Renamed,
    StoredConnection,
    UnchangedPage,
)


@dataclass(frozen=True, slots=True)
class PageReading:
    """`sure`: rows whose place is sure; `run`: those of them in our order; `top`/`bottom`: the
    places between which the page is evidence, None if it is none; `doubt`: places between which
    people not on the page become unsure, because rows were put among them; `backwards`: all of it
    was read before in this scan; `among`: strangers were found among people at the top of the list.
    """

    added: list[Added]
    renamed: list[Renamed]
    moved: list[Moved]
    seen: list[int]
    sure: int
    run: int
    orderly: bool
    spoiled: PageFault | None
    top: int | None
    bottom: int | None
    floor: int
    doubt: list[tuple[int, int]]
    backwards: bool = False
    among: bool = False

    @property
    def disorderly(self) -> bool:
        """Whether enough sure people without repeats stand in another order than ours."""
        return self.sure >= RUN_NEEDED and not self.orderly and self.spoiled is PageFault.ORDER


def read_page(
    rows: Sequence[tuple[int, str]],
    known: Mapping[int, StoredConnection],
    lost_before: Set[int],
    position: ScanPosition,
) -> PageReading:
    """What is new, renamed and moved on a page, and what it is evidence of."""
    reading = _read(rows, known, lost_before, position)
    all_known = not position.first and known and len(known) == len(reading.seen)
    if not all_known or _lowest(known) < position.floor:
        return reading
    return replace(
        reading,
        moved=[],
        spoiled=PageFault.LOOP,
        top=None,
        bottom=None,
        doubt=[],
        floor=position.floor,
        orderly=False,
        backwards=True,
    )


def _lowest(known: Mapping[int, StoredConnection]) -> int:
    if isinstance(known, UnchangedPage):
        return known.places[-1]
    return min(row[1] for row in known.values())


def _read(
    rows: Sequence[tuple[int, str]],
    known: Mapping[int, StoredConnection],
    lost_before: Set[int],
    position: ScanPosition,
) -> PageReading:
    if not position.renumber and len(known) == len(rows) and rows:
        unchanged = _unchanged(rows, known, position)
        if unchanged is not None:
            return unchanged
    return _read_changed(rows, known, lost_before, position)


def _unchanged(
    rows: Sequence[tuple[int, str]], known: Mapping[int, StoredConnection], position: ScanPosition
) -> PageReading | None:
    """The fast path: everybody is known and sure, has the same name and stands in our order."""
    shown = known if isinstance(known, UnchangedPage) else _as_shown(rows, known)
    if shown is None or len(rows) < RUN_NEEDED or shown.places[-1] <= position.zone:
        return None
    bottom = shown.places[-1]
    return PageReading(
        added=[],
        renamed=[],
        moved=[],
        seen=shown.keys_shown,
        sure=len(rows),
        run=len(rows),
        orderly=True,
        spoiled=None,
        top=shown.places[0],
        bottom=bottom,
        floor=min(position.floor, bottom),
        doubt=[],
    )


def _as_shown(
    rows: Sequence[tuple[int, str]], known: Mapping[int, StoredConnection]
) -> UnchangedPage | None:
    above = TOP
    places = []
    for key, username in rows:
        row = known.get(key)
        if row is None or not row[2] or row[1] >= above or row[0] != username:
            return None
        above = row[1]
        places.append(above)
    keys, names = zip(*rows, strict=True)
    return UnchangedPage(list(keys), list(names), places)


def _read_changed(
    rows: Sequence[tuple[int, str]],
    known: Mapping[int, StoredConnection],
    lost_before: Set[int],
    position: ScanPosition,
) -> PageReading:
    order = page_order(rows, known, position)
    if position.renumber:
        return _renumbered(order, known, lost_before, position)
    assignment = PlaceAssignment(order, known, lost_before, position)
    assignment.place_all()
    top = bottom = None
    seen = [key for key, _ in order.unique]
    if order.spoiled is None:
        top = known[seen[order.run[0]]].place
        bottom = known[seen[order.run[-1]]].place
    moved = assignment.moved
    if order.orderly or order.clean or (position.confirming and not order.repeats):
        moved = moved + _unsettled(order, known)
    return PageReading(
        added=assignment.added,
        renamed=_renamed(order, known),
        moved=moved,
        seen=seen,
        sure=len(order.sure),
        run=len(order.run),
        orderly=order.orderly,
        spoiled=order.spoiled,
        top=top,
        bottom=bottom,
        floor=assignment.floor,
        doubt=assignment.doubt,
        among=assignment.among,
    )


def _unsettled(order: PageOrder, known: Mapping[int, StoredConnection]) -> list[Moved]:
    """Moves people who stand out of order, unsure, beside their present neighbour."""
    kept = frozenset(order.run)
    moved = []
    for index in order.sure:
        if index in kept:
            continue
        above = bisect_left(order.run, index) - 1
        if above >= 0:
            place = known[order.unique[order.run[above]][0]].place - 1
        else:
            place = known[order.unique[order.run[0]][0]].place + 1
        moved.append(Moved(order.unique[index][0], place, sure=False))
    return moved


def _renamed(order: PageOrder, known: Mapping[int, StoredConnection]) -> list[Renamed]:
    return [
        Renamed(key, known[key].username, username)
        for key, username in order.unique
        if key in known and known[key].username != username
    ]


def _renumbered(
    order: PageOrder,
    known: Mapping[int, StoredConnection],
    lost_before: Set[int],
    position: ScanPosition,
) -> PageReading:
    """Gives every row a new place."""
    added, moved = [], []
    place = position.floor
    for key, username in order.unique:
        if key in known and known[key].place > position.zone:
            continue
        place -= GAP
        if key in known:
            moved.append(Moved(key, place, sure=True))
        else:
            kind = kind_of(key, lost_before, position.baseline, new=False)
            added.append(Added(key, username, place, sure=True, kind=kind))
    return PageReading(
        added=added,
        renamed=_renamed(order, known),
        moved=moved,
        seen=[key for key, _ in order.unique],
        sure=0,
        run=0,
        orderly=not order.repeats,
        spoiled=PageFault.REPEATS if order.repeats else PageFault.STRANGERS,
        top=None,
        bottom=None,
        floor=place,
        doubt=[],
    )
