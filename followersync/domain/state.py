"""State of an account's syncing between two commits: small, frozen, JSON-able.

`Memory` lasts, `FullScan` is the open full scan, `Run` is the sync in progress. All three are
stored as one value in the transaction of the page they result from, so that the next worker after a
killed one continues from there and applies nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from followersync.domain.count import Ledger
from followersync.domain.patience import Reappearance
from followersync.domain.values import PageFault, PageLook, ScanMode, ScanReason, Tally

GAP = 1 << 16
"""Between two consecutive new places: room for sixteen insertions into the middle."""
JUMP = 1 << 42
"""Above the highest place, where a scan from the top begins to number newcomers downwards."""
BASE = 1 << 61
TOP = (1 << 63) - 1


class ListOrder(StrEnum):
    """How far an account's places can be trusted: not yet, seen in one scan, confirmed by two."""

    NONE = "none"
    NEW = "new"
    CONFIRMED = "confirmed"


class Phase(StrEnum):
    COUNT = "count"
    HEAD = "head"
    FULL = "body"
    LOOK = "look"
    CLOSING = "closing"
    JUDGE = "judge"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Memory:
    baselined_at: int | None = None
    """When a scan first read the list to its end: additions after that are changes."""
    complete: bool = False
    """The last look at the whole list showed nearly as many people as are counted."""
    hidden: int = 0
    """People whom the count included and the first list did not show."""
    order: ListOrder = ListOrder.NONE
    renumber: bool = False
    doubts: int = 0
    """Consecutive finished scans with a page in disorder."""
    doubted_at: int = 0
    renumbered_at: int = 0
    """When the list was renumbered; 0: never since the first time."""
    top: int = BASE
    zone: int = 0
    """Places up to here belong to an older numbering and are ignored."""
    next_page: int = 1
    reported: int | None = None
    gap: int | None = None
    """reported - stored after the last full scan."""
    held: tuple[int, ...] = ()
    """Followers stored at the end of the last syncs, newest last."""
    outside: int = 0
    """Consecutive syncs in which the count was outside what the last scan explains."""
    count: Ledger = field(default_factory=Ledger)
    reappearances: tuple[Reappearance, ...] = ()
    odd: bool = False
    """The last finished scan missed implausibly many people for the first time."""
    shown: int = 0
    """People shown by the last finished scan."""
    mixed_at: int | None = None
    """When newcomers were last seen below the top, or the list in another order: Instagram does not
    list the newest first."""
    tops: tuple[tuple[int, int], ...] = ()
    """When the whole list was recently read, and the highest place then."""
    peak: tuple[int, int] = (0, 0)
    """The most people recently shown, and when."""
    beyond: int = 0
    """How many people may stand below the last whom Instagram shows."""
    quick: int = 0
    """Consecutive quick looks."""
    scans: int = 0
    full_at: int | None = None
    pages: int = 0
    people: int = 0
    empties: int = 0
    """Consecutive syncs whose first page was empty."""
    looks: tuple[PageLook, ...] = ()
    looked_at: int = 0
    """When those pages were last read."""
    whole_wanted: bool = False
    """Somebody was missed by a look at some pages only; proof needs one at the whole list."""
    last_at: int = 0
    """When the last sync ended. The next begins a second later at the earliest: two looks at the
    same second could not be told apart."""


@dataclass(frozen=True, slots=True)
class PagesRead:
    """What was read so far: pages, people on them, of those the sure and those on orderly pages,
    pages whose sure people stood in another order, unknown people, and spoiled pages by fault."""

    pages: int = 0
    people: int = 0
    sure: int = 0
    orderly: int = 0
    disorderly: int = 0
    added: int = 0
    spoiled: dict[PageFault, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FullScan:
    started_at: int
    why: ScanReason
    page_size: int
    after: str | None
    renumber: bool
    first_page: int
    floor: int
    read: PagesRead = PagesRead()
    back: str | None = None
    """The cursor before `after`: used again when `after` leads back up."""
    loops: int = 0
    tries: int = 0
    """How often the present cursor returned nothing."""
    ended: bool = False
    tortoise: str | None = None
    """An earlier cursor: seeing it again shows a loop (Brent's algorithm)."""

    @property
    def pages(self) -> int:
        return self.read.pages

    @property
    def people(self) -> int:
        return self.read.people


@dataclass(frozen=True, slots=True)
class Run:
    started_at: int
    phase: Phase
    ordered: bool
    followers: int
    unconfirmed: int
    calls_left: int | None
    asked: bool
    page_size: int
    mode: ScanMode = ScanMode.COUNT
    why: ScanReason | None = None
    calls: int = 0
    read: PagesRead = PagesRead()
    reported: int | None = None
    after: str | None = None
    floor: int = BASE
    """Where the scan from the top (head or closing) numbers its next unknown row."""
    above_all: bool = True
    """No sure row has been read yet in the scan from the top."""
    tries: int = 0
    walked: int = 0
    """Pages of the present scan from the top."""
    first_page: int = 1
    ranges: tuple[tuple[int, int], ...] = ()
    """The places (low, high) between which this run's pages are evidence."""
    look: int = 0
    """How many of the pending looks are done."""
    look_page: int = 0
    look_after: str | None = None
    looks_now: int = 0
    """How many pending looks, the first ones, are done in this run, after its judgement."""
    looks_from: int | None = None
    """The number of the first page read after the judgement; None: nobody has been judged yet."""
    judge_at: int | None = None
    proof: bool = False
    """The last scan from the top reached known people."""
    odd: bool = False
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class AccountState:
    memory: Memory = Memory()
    full_scan: FullScan | None = None
    run: Run | None = None


def dump(state: AccountState) -> dict[str, Any]:
    """The state as JSON values; keys `memory`, `full_scan`, `run`."""
    value: dict[str, Any] = msgspec.to_builtins(state)
    return value


def load(value: dict[str, Any] | None) -> AccountState:
    """The state from JSON values; None or {} is an account never synced.

    Raises msgspec.ValidationError when the value has another shape.
    """
    return msgspec.convert(value or {}, AccountState)


# msgspec learns a type at its first use; a second thread that uses it meanwhile causes a
# segmentation fault. So the first use is here, under the import lock.
load(None)
