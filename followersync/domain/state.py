"""What an account's syncing remembers between two commits: small, frozen, JSON-able.

`Memory` lasts, `Full scan` is the open full scan, `Run` is the sync in progress. All three are
stored as one value in the same transaction as the page they result from, so that a killed worker
goes on from there and applies nothing twice.
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
"""Between two places given one after the other: room for sixteen insertions into the middle."""
JUMP = 1 << 42
"""Above the highest place, where a walk from the top begins numbering newcomers downwards."""
BASE = 1 << 61
TOP = (1 << 63) - 1


class ListOrder(StrEnum):
    """What an account's places are worth: nothing yet, seen in one scan, agreed by two."""

    NONE = "none"
    NEW = "new"
    CONFIRMED = "confirmed"


class Phase(StrEnum):
    COUNT = "count"
    HEAD = "head"
    BODY = "body"
    LOOK = "look"
    CLOSING = "closing"
    JUDGE = "judge"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Memory:
    baselined_at: int | None = None
    """When a scan first read the list to its end: whoever is added from then on is a change."""
    complete: bool = False
    """At the last look at the whole list it showed nearly as many people as are counted."""
    hidden: int = 0
    """People whom the count told of and the first list did not show."""
    order: ListOrder = ListOrder.NONE
    renumber: bool = False
    doubts: int = 0
    """Finished scans in a row that met a page in disorder."""
    doubted_at: int = 0
    renumbered_at: int = 0
    """When the list was numbered anew; 0: it never was, but for the first time."""
    top: int = BASE
    zone: int = 0
    """Places up to here are of an older numbering and worth nothing."""
    next_page: int = 1
    reported: int | None = None
    gap: int | None = None
    """reported - held after the last full scan."""
    held: tuple[int, ...] = ()
    """Followers held at the end of the last syncs, newest last."""
    outside: int = 0
    """How many syncs in a row the count lay outside what the last scan explains."""
    count: Ledger = field(default_factory=Ledger)
    reappearances: tuple[Reappearance, ...] = ()
    odd: bool = False
    """The last finished scan missed implausibly many people for the first time."""
    shown: int = 0
    """People shown by the last finished scan."""
    mixed_at: int | None = None
    """When newcomers were last met below the top, or the list in another order: Instagram does not
    list the newest first."""
    tops: tuple[tuple[int, int], ...] = ()
    """When the whole list was read of late, and the highest place then."""
    peak: tuple[int, int] = (0, 0)
    """The most people shown of late, and when."""
    beyond: int = 0
    """How many people may stand below the last whom Instagram shows."""
    quick: int = 0
    """Quick looks in a row."""
    scans: int = 0
    full_at: int | None = None
    pages: int = 0
    people: int = 0
    empties: int = 0
    """Syncs in a row whose very first page was empty."""
    looks: tuple[PageLook, ...] = ()
    looked_at: int = 0
    """When those pages were last read."""
    whole_wanted: bool = False
    """Somebody was missed by a look at some pages alone; proof needs one at the whole list."""
    last_at: int = 0
    """When the last sync ended. The next begins a second later at the earliest: two looks at the
    same second could not be told apart."""


@dataclass(frozen=True, slots=True)
class PagesRead:
    """What was read so far: pages, people on them, of those the sure and those on orderly pages,
    pages whose sure people stood in another order, people nobody knew, and how many pages were
    spoiled by what."""

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
    """The cursor before `after`: asked for again when `after` leads back up."""
    loops: int = 0
    tries: int = 0
    """How often the present cursor gave nothing."""
    ended: bool = False
    tortoise: str | None = None
    """An earlier cursor: meeting it again shows a loop (Brent's algorithm)."""

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
    """Where the walk from the top (head or closing) numbers its next unknown row."""
    above_all: bool = True
    """No sure row has been met yet in the walk from the top."""
    tries: int = 0
    walked: int = 0
    """Pages of the present walk from the top."""
    first_page: int = 1
    ranges: tuple[tuple[int, int], ...] = ()
    """The places (low, high) between which this run's pages testify."""
    look: int = 0
    """How many of the pending looks are done."""
    look_page: int = 0
    look_after: str | None = None
    looks_now: int = 0
    """How many pending looks, the first ones, are done in this very run, after its judgement."""
    looks_from: int | None = None
    """The number of the first page read after the judgement; None: nobody has been judged yet."""
    judge_at: int | None = None
    proof: bool = False
    """The last walk from the top reached known ground."""
    odd: bool = False
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class AccountState:
    memory: Memory = Memory()
    full_scan: FullScan | None = None
    run: Run | None = None


def dump(state: AccountState) -> dict[str, Any]:
    """The state as JSON values; keys `memory`, `full scan`, `run`."""
    value: dict[str, Any] = msgspec.to_builtins(state)
    return value


def load(value: dict[str, Any] | None) -> AccountState:
    """The state out of JSON values; None or {} is an account never synced.

    Raises msgspec.ValidationError when the value has another shape.
    """
    return msgspec.convert(value or {}, AccountState)


# msgspec learns a type at its first use, and a second thread that comes meanwhile reads the half
# of it: a segmentation fault. So the first use is here, where the import's lock lets in one alone.
load(None)
