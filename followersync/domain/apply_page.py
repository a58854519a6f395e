"""Applies one page to the account's state: rows to store, evidence, and the next phase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from followersync.domain import page_diff, transitions
from followersync.domain.page_diff import PageReading
from followersync.domain.page_order import ScanPosition
from followersync.domain.state import (
    GAP,
    JUMP,
    TOP,
    AccountState,
    FullScan,
    ListOrder,
    Memory,
    PagesRead,
    Phase,
    Run,
)
from followersync.domain.values import (
    Added,
    AddedKind,
    Moved,
    PageEvidence,
    PageFault,
    PageRole,
    Renamed,
    StoredConnection,
)

HIDDEN_FOR = 14 * 86_400
"""For so long after the first list, people who were not shown in it may still appear."""
ADJACENT = 64 * GAP
"""The gap that consecutive pages may leave between them; one range spans all of them."""

PARTS = {
    Phase.HEAD: PageRole.HEAD,
    Phase.FULL: PageRole.FULL,
    Phase.LOOK: PageRole.LOOK,
    Phase.CLOSING: PageRole.CLOSING,
}


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What to store of a page, together with the state, in one transaction."""

    state: AccountState
    added: list[Added]
    renamed: list[Renamed]
    moved: list[Moved]
    page: PageEvidence
    seen: list[int]
    doubt: list[tuple[int, int]]


def open_full_scan(state: AccountState) -> FullScan:
    if state.full_scan is None:
        raise RuntimeError("no full scan is open")
    return state.full_scan


def page_read(
    state: AccountState,
    *,
    rows: Sequence[tuple[int, str]],
    after: str | None,
    known: Mapping[int, StoredConnection],
    lost_before: Set[int],
    now: int,
) -> PageOutcome:
    run = state.run
    if run is None:
        raise RuntimeError("no run")
    asked_after, limit = _request(state, run)
    position = _scan_position(state, run, asked_after)
    page = page_diff.read_page(rows, known, lost_before, position)
    looped = after is not None and _looped(state, asked_after, after)
    spoiled = PageFault.LOOP if looped or page.backwards else page.spoiled
    evidence = PageEvidence(
        number=state.memory.next_page,
        part=PARTS[run.phase],
        rows=len(rows),
        at=now,
        top=page.top,
        bottom=page.bottom,
        spoiled=spoiled,
        after=asked_after,
        limit=limit,
    )
    counted = _with_page(state, run, page, evidence)
    if looped or page.backwards:
        following = transitions.after_loop(counted, now)
    else:
        following = transitions.after_page(counted, page, after, now)
    return PageOutcome(
        following, page.added, page.renamed, page.moved, evidence, page.seen, page.doubt
    )


def _request(state: AccountState, run: Run) -> tuple[str | None, int]:
    if run.phase is Phase.FULL:
        full_scan = open_full_scan(state)
        return full_scan.after, full_scan.page_size
    if run.phase is Phase.LOOK:
        look = state.memory.looks[run.look]
        return run.look_after if run.look_page else look.after, look.limits[run.look_page]
    return run.after, run.page_size


def _scan_position(state: AccountState, run: Run, asked_after: str | None) -> ScanPosition:
    full_scan = state.full_scan
    in_full_scan = run.phase is Phase.FULL
    floor, at_top = run.floor, run.above_all
    if in_full_scan and full_scan is not None:
        floor, at_top = full_scan.floor, False
    elif run.phase is Phase.LOOK:
        floor, at_top = _above_look(state, run, asked_after)
    return ScanPosition(
        floor=floor,
        at_top=at_top,
        first=asked_after is None,
        baseline=state.memory.baselined_at is None,
        renumber=in_full_scan and full_scan is not None and full_scan.renumber,
        confirming=state.memory.order is not ListOrder.CONFIRMED,
        zone=state.memory.zone,
        growing=_growing(state.memory, run),
        hidden=_hidden(state.memory, run),
        expected=max(0, (run.reported or 0) - (state.memory.reported or 0)),
        settles=run.phase in (Phase.HEAD, Phase.FULL),
    )


def _above_look(state: AccountState, run: Run, asked_after: str | None) -> tuple[int, bool]:
    """The (floor, at_top) of a repeated page; the first page shows newcomers as the head does."""
    if asked_after is None:
        return state.memory.top + JUMP, True
    return min(state.memory.looks[run.look].top, state.memory.top), False


def _growing(memory: Memory, run: Run) -> bool:
    if memory.gap is None or memory.gap <= 0:
        return True
    return memory.reported is not None and (run.reported or 0) > memory.reported


def _mixed_at(memory: Memory, run: Run, page: PageReading, at: int) -> int | None:
    """When newcomers, by whom the count rose, were last seen among people who follow longer."""
    found = page.among and any(
        one.kind is AddedKind.FOUND and one.place <= memory.top for one in page.added
    )
    rose = run.reported is not None and run.reported > (memory.count.reported or 0)
    known = memory.count.reported is not None and memory.baselined_at is not None
    return at if found and rose and known else memory.mixed_at


def _hidden(memory: Memory, run: Run) -> int:
    """How many strangers may have been there while the first list was read, and not been shown."""
    begun = memory.baselined_at
    recent = begun is not None and run.started_at - begun <= HIDDEN_FOR
    return memory.hidden if recent else 0


def _looped(state: AccountState, asked: str | None, after: str) -> bool:
    """Whether the cursor leads back: at once, or to an earlier one (Brent's algorithm)."""
    run, full_scan = state.run, state.full_scan
    if run is None or run.phase is not Phase.FULL or full_scan is None:
        return after == asked
    return after in (asked, full_scan.tortoise)


def _with_page(
    state: AccountState, run: Run, page: PageReading, evidence: PageEvidence
) -> AccountState:
    memory, full_scan = state.memory, state.full_scan
    top = max((added.place for added in page.added), default=memory.top)
    top = max(top, max((moved.place for moved in page.moved), default=top))
    kinds = Counter(added.kind for added in page.added)
    ledger = replace(
        memory.count,
        gained=memory.count.gained + kinds[AddedKind.GAINED] + kinds[AddedKind.RETURNED],
        found=memory.count.found + kinds[AddedKind.FOUND],
    )
    memory = replace(
        memory,
        next_page=memory.next_page + 1,
        top=max(memory.top, top),
        count=ledger,
        hidden=max(0, memory.hidden - kinds[AddedKind.FOUND]),
        mixed_at=_mixed_at(state.memory, run, page, evidence.at),
    )
    spoiled = evidence.spoiled
    run = replace(
        run,
        calls=run.calls + 1,
        read=_with_page_read(run.read, page, spoiled),
        followers=run.followers + len(page.added),
    )
    if page.top is not None and page.bottom is not None:
        run = replace(run, ranges=_merged(run.ranges, page.bottom, page.top))
    if run.phase in (Phase.HEAD, Phase.CLOSING):
        run = replace(
            run,
            floor=page.floor,
            above_all=run.above_all and not page.sure and bool(page.seen),
            walked=run.walked + 1,
        )
    if full_scan is not None and run.phase is Phase.FULL:
        read = _with_page_read(full_scan.read, page, spoiled)
        full_scan = replace(full_scan, floor=page.floor, read=read)
    return AccountState(memory, full_scan, run)


def _merged(
    ranges: tuple[tuple[int, int], ...], low: int, high: int
) -> tuple[tuple[int, int], ...]:
    """The ranges and one more; overlapping and closely adjacent ranges are merged.

    Nobody is looked for in a place above a page unless the page above was read too.
    """
    reach = min(TOP, high + ADJACENT)
    joined = [one for one in ranges if one[1] > low and one[0] < reach]
    bounds = [(low, high), *joined]
    low, high = min(one[0] for one in bounds), max(one[1] for one in bounds)
    return (*(one for one in ranges if one not in joined), (low, high))


def _with_page_read(read: PagesRead, page: PageReading, spoiled: PageFault | None) -> PagesRead:
    counts = read.spoiled
    if spoiled is not None:
        counts = {**counts, spoiled: counts.get(spoiled, 0) + 1}
    return PagesRead(
        pages=read.pages + 1,
        people=read.people + len(page.seen),
        sure=read.sure + page.sure,
        orderly=read.orderly + (len(page.seen) if page.orderly else 0),
        disorderly=read.disorderly + page.disorderly,
        added=read.added + len(page.added),
        spoiled=counts,
    )
