"""Value types of the domain: frozen, times in whole unix seconds (UTC).

A *place* is a number that orders an account's followers as Instagram lists them, newest highest.
It says nothing about time. See docs/losses.md for the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

LOOKS_APART = 6 * 3600
"""Seconds between two looks that may prove a loss: what withholds a row now does so a few
minutes later, so consecutive looks count as one."""
TIMES_KEPT = 20
"""Times of looks that are stored of one absence."""


class PageRole(StrEnum):
    """What a page was read for."""

    HEAD = "head"
    FULL = "body"
    LOOK = "look"
    CLOSING = "closing"


class AddedKind(StrEnum):
    """How a follower is added; BASELINE is no change and enters no feed."""

    BASELINE = "baseline"
    GAINED = "gained"
    FOUND = "found"
    RETURNED = "returned"


class ScanMode(StrEnum):
    COUNT = "count"
    HEAD = "head"
    FULL = "full"


class ScanReason(StrEnum):
    """Why a full scan is due."""

    FIRST = "first"
    ORDER = "order"
    COUNT = "count"
    UNCONFIRMED = "unconfirmed"
    AGE = "age"
    SMALL = "small"
    ASKED = "asked"
    UNFINISHED = "unfinished"


class PageFault(StrEnum):
    """Why a page is no evidence of anybody's absence."""

    REPEATS = "repeats"
    ORDER = "order"
    STRANGERS = "strangers"
    EMPTY = "empty"
    LOOP = "loop"


class StoredConnection(NamedTuple):
    """A stored current follower, as loaded for a page's keys."""

    username: str
    place: int
    sure: bool


@dataclass(slots=True, eq=False)
class UnchangedPage(Mapping[int, StoredConnection]):
    """The people of a page that shows nothing new: all known and sure, under these names, with
    falling `places`. Values for single people are made on demand."""

    keys_shown: list[int]
    names: list[str]
    places: Sequence[int]
    _people: dict[int, StoredConnection] = field(default_factory=dict)

    def __getitem__(self, key: int) -> StoredConnection:
        return self._made()[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self.keys_shown)

    def __len__(self) -> int:
        return len(self.keys_shown)

    def _made(self) -> dict[int, StoredConnection]:
        if not self._people:
            rows = zip(self.keys_shown, self.names, self.places, strict=True)
            self._people = {key: StoredConnection(name, place, True) for key, name, place in rows}
        return self._people


@dataclass(frozen=True, slots=True)
class ListSource:
    """What a source can do: `page_limit` rows a page; `ordered`: it lists newest first."""

    page_limit: int
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Added:
    key: int
    username: str
    place: int
    sure: bool
    kind: AddedKind


@dataclass(frozen=True, slots=True)
class Renamed:
    key: int
    previous: str
    username: str


@dataclass(frozen=True, slots=True)
class Moved:
    key: int
    place: int
    sure: bool


class Span(NamedTuple):
    """What one page proves: people strictly between `bottom` and `top` were on it or absent.

    `at`: when it was read. `number`: the page's number, as in `PageEvidence`. `after`, `limit`: how
    to read it again.
    """

    number: int
    top: int
    bottom: int
    at: int
    after: str | None = None
    limit: int = 0


@dataclass(frozen=True, slots=True)
class PageLook:
    """A page to read again because of somebody who should stand on it.

    `limits`: sizes of the pages to read one after the other, starting from `after`. `top`: the
    highest place it is expected to show.
    """

    after: str | None
    limits: tuple[int, ...]
    top: int


@dataclass(frozen=True, slots=True)
class PageEvidence:
    """One page as evidence; `top` and `bottom` are None when it is evidence of nothing."""

    number: int
    part: PageRole
    rows: int
    at: int
    top: int | None
    bottom: int | None
    spoiled: PageFault | None
    after: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class Absence:
    """How long somebody has not been seen: an unconfirmed person's record.

    `since`: when a look first missed them. `looks`: looks, LOOKS_APART from each other, that missed
    them; of these `witnessed` with people shown on both sides, `agreed` while the count confirmed
    their loss, `whole` at the list as a whole, the newest of them at `whole_at`. `last_at`: when
    the newest of those looks was; a look at the whole list soon after one at some pages counts as
    `whole` alone. `at`: when the looks were. `settled`: a look at the whole list has missed them,
    `counted`: and the count came down by them then. `suspect`: they were missed at the list's end
    while newcomers came on top of it, with many others at once, or while the count was higher.
    `shown`: the people whom the list showed when they were first missed; `most`: with those who
    were missing in its midst. `longer`, `shorter`: later looks that certainly showed more, or
    fewer. `beyond`: they may stand below the last whom Instagram shows.
    """

    since: int
    looks: int = 0
    witnessed: int = 0
    agreed: int = 0
    whole: int = 0
    whole_at: int = 0
    last_at: int = 0
    settled: bool = False
    counted: bool = False
    suspect: bool = False
    shown: int = 0
    most: int = 0
    longer: int = 0
    shorter: int = 0
    beyond: bool = False
    at: tuple[int, ...] = ()


class Absent(NamedTuple):
    """A stored current follower whom no page of the open evidence shows."""

    key: int
    place: int
    sure: bool
    absence: Absence | None


class Proof(StrEnum):
    """What proved a loss.

    Witnesses and the count; witnesses and a longer time; the count and time for people at an end; a
    long time alone; two looks of which the second was an export; an export that missed them, and a
    later one that dates their follow after it.
    """

    COUNTED = "counted"
    WAITED = "waited"
    COUNTED_AT_END = "counted_at_end"
    WAITED_LONG = "waited_long"
    EXPORT = "export"
    FOLLOWED_ANEW = "followed_anew"


@dataclass(frozen=True, slots=True)
class Lost:
    """A proven loss; `place`: where they stood, None where unknown; `absence`: the record that
    proves it, its last look included."""

    key: int
    place: int | None
    proof: Proof
    absence: Absence


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of one judgement; batches are added with +.

    `absent`: of a list read whole everybody on no page, else only those whose page was read.
    `waited`: lost by time, although the count did not come down by them. `beyond`: people who may
    stand below the last who is shown.
    """

    absent: int = 0
    witnessed: int = 0
    unconfirmed: int = 0
    lost: int = 0
    waited: int = 0
    beyond: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.absent + other.absent,
            self.witnessed + other.witnessed,
            self.unconfirmed + other.unconfirmed,
            self.lost + other.lost,
            self.waited + other.waited,
            self.beyond + other.beyond,
        )

    def with_rejudged(self, later: Tally) -> Tally:
        """This tally with that of a second judgement of some of the same people."""
        return replace(
            self,
            witnessed=self.witnessed + later.witnessed,
            unconfirmed=self.unconfirmed - later.lost,
            lost=self.lost + later.lost,
            waited=self.waited + later.waited,
        )


# --- steps: what the engine does next ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadCount:
    """Read Instagram's number of followers; answer with `engine.count_read`."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Read the page after `after` (None: from the top); answer with `engine.page_read`."""

    part: PageRole
    after: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Load the absent people in batches and judge them; answer with `engine.judged`.

    Absent: current followers whose key is on no stored page numbered >= `first_page`; with
    `ranges`, only those whose place is strictly between the (low, high) of one of them (they do not
    overlap), None: everybody. Evidence: the stored spans of the same pages. (People on an earlier
    page of a long scan may have left since, so only the pages of this run are used.)
    """

    ranges: tuple[tuple[int, int], ...] | None
    first_page: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The run has nothing more to read: call `engine.finish_run`."""


Step = ReadCount | ReadPage | Judge | Finish
