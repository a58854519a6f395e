"""Completeness: whether a finished scan makes the list the baseline, complete or neither."""

from __future__ import annotations

from dataclasses import dataclass, replace

from followersync.domain import count
from followersync.domain.page_order import RUN_NEEDED
from followersync.domain.planner import ASKED_PAGES, count_is_outside
from followersync.domain.state import AccountState, FullScan, ListOrder, Memory, PagesRead, Run
from followersync.domain.transitions import on_schedule
from followersync.domain.values import LOOKS_APART, PageFault, ScanMode, ScanReason, Tally

DAY = 86_400
QUICK = 300
"""Seconds until a quick second scan, which shows whether the places of the first can be trusted."""
QUICK_PAGES = 5
QUICK_TIMES = 3
"""Consecutive quick scans; then the usual interval applies."""
FEW = 10
"""In a list of fewer people, one person missing from the first list matters."""
DOUBTS = 4
DOUBT_AGAIN = 3 * DAY
"""After so many consecutive scans with a page in disorder, the order is confirmed anew."""
AGREED_AFTER = 5 * DAY // 2
SHORT = 30
"""A list numbered anew was in disorder, and disorder lasts: the same swap seen twice in a row would
agree with itself. In a list of fewer people, where one swap is much, the scan that confirms the new
order comes this much later."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sync's reading proves; stored with the snapshot and shown in words.

    `odd`: so many were missed at once that nobody is called unconfirmed yet.
    """

    pages: int
    people: int
    absent: int
    witnessed: int
    unconfirmed: int
    lost: int
    followers: int
    spoiled: dict[str, int]
    odd: int
    finished: bool
    why: ScanReason | None


@dataclass(frozen=True, slots=True)
class Finished:
    """What to store at a sync's end.

    `paced`: the open full scan is on schedule and needs no sync before the usual one.
    `second_look_in`: seconds until another look would settle something; None: no hurry. `confirm`:
    read the list again at once, in the same run: people who leave before two scans agree about the
    places can have no witnesses.
    """

    state: AccountState
    mode: ScanMode
    why: ScanReason | None
    evidence: Evidence
    snapshot: bool
    complete: bool
    drop_pages: bool
    full_scan_open: bool
    paced: bool
    second_look_in: int | None
    confirm: bool = False


def finish_run(state: AccountState, *, followers: int, unconfirmed: int, now: int) -> Finished:
    """Close the sync. `followers`, `unconfirmed`: rows stored now."""
    run, full_scan, memory = state.run, state.full_scan, state.memory
    if run is None:
        raise RuntimeError("no run has begun")
    now = max(now, run.started_at, run.judge_at or 0)
    memory = replace(memory, last_at=now)
    whole = full_scan is not None and full_scan.ended
    read = full_scan.read if full_scan is not None else run.read
    memory = _with_counts(memory, run, followers, unconfirmed)
    if full_scan is not None and whole:
        memory = _with_scan(memory, run, full_scan, followers, now)
        full_scan = None
    if read.people:
        memory = replace(memory, empties=0)
    if memory.empties or (run.mode is ScanMode.FULL and not whole and not on_schedule(state, now)):
        # The list could not be read to its end: it is not known to be complete.
        memory = replace(memory, complete=False)
    quick = memory.quick + 1 if _wants_quick_scan(memory) else 0
    memory = replace(memory, quick=quick)
    second_look = QUICK if 0 < quick <= QUICK_TIMES else None
    if second_look is None and (unconfirmed > memory.beyond or memory.odd):
        second_look = LOOKS_APART
    evidence = _evidence(run, read, followers, unconfirmed, finished=whole and run.proof)
    return Finished(
        state=AccountState(memory, full_scan, None),
        mode=run.mode,
        why=run.why,
        evidence=evidence,
        snapshot=run.mode is not ScanMode.COUNT,
        complete=memory.complete,
        drop_pages=full_scan is None,
        full_scan_open=full_scan is not None,
        paced=on_schedule(state, now),
        second_look_in=second_look,
        confirm=whole and state.memory.scans == 0 and _can_confirm(memory, run),
    )


def _can_confirm(memory: Memory, run: Run) -> bool:
    """Whether a second scan right after the first is worth its calls and within the budget."""
    enough = run.calls_left is None or run.calls_left - run.calls > 2 * memory.pages
    return (
        run.proof
        and enough
        and memory.order is ListOrder.NEW
        and memory.people >= RUN_NEEDED
        and memory.pages <= ASKED_PAGES
    )


def _with_counts(memory: Memory, run: Run, followers: int, unconfirmed: int) -> Memory:
    if run.reported is None:
        return replace(memory, complete=False)
    outside = count_is_outside(memory, run.reported, followers)
    return replace(
        memory,
        reported=run.reported,
        outside=memory.outside + 1 if outside else 0,
        held=(*memory.held, followers)[-3:],
        complete=memory.complete and not count.is_short(run.reported, followers - unconfirmed),
    )


def _with_scan(memory: Memory, run: Run, full_scan: FullScan, followers: int, now: int) -> Memory:
    memory = _with_order(memory, full_scan, now)
    if not run.proof:
        return replace(memory, full_at=now, scans=memory.scans + 1)
    memory = replace(
        memory,
        scans=memory.scans + 1,
        full_at=now,
        pages=full_scan.read.pages,
        people=full_scan.read.people,
        gap=None if run.reported is None else run.reported - followers,
        outside=0,
        complete=run.reported is not None and not count.is_short(run.reported, memory.shown),
    )
    if memory.baselined_at is not None:
        return memory
    missing = max(0, (run.reported or 0) - memory.shown)
    hidden = missing if not memory.complete or followers < FEW else 0
    return replace(memory, baselined_at=now, hidden=hidden)


def _with_order(memory: Memory, full_scan: FullScan, now: int) -> Memory:
    """How far the places can be trusted after this scan."""
    read = full_scan.read
    if full_scan.renumber:
        again = now if memory.scans else 0
        return replace(
            memory,
            order=ListOrder.NEW,
            renumber=False,
            doubts=0,
            doubted_at=now,
            renumbered_at=again,
        )
    repeats = read.spoiled.get(PageFault.REPEATS, 0)
    lasts = read.people >= SHORT or now - memory.renumbered_at >= AGREED_AFTER
    orderly = read.people > 0 and read.orderly * 10 >= read.people * 9
    if memory.order is ListOrder.NEW and orderly and lasts:
        memory = replace(memory, order=ListOrder.CONFIRMED)
    doubts = memory.doubts + 1 if read.disorderly else 0
    if doubts >= DOUBTS and now - memory.doubted_at >= DOUBT_AGAIN:
        memory = replace(memory, order=ListOrder.NEW, doubted_at=now)
        doubts = 0
    memory = replace(memory, doubts=doubts)
    known = read.people - read.added
    if known >= RUN_NEEDED and read.sure * 10 < known * 9 and not repeats:
        mixed_at = now if read.disorderly else memory.mixed_at
        memory = replace(memory, renumber=True, mixed_at=mixed_at)
    return memory


def _evidence(
    run: Run, read: PagesRead, followers: int, unconfirmed: int, *, finished: bool
) -> Evidence:
    tally: Tally = run.tally
    return Evidence(
        pages=read.pages,
        people=read.people,
        absent=tally.absent,
        witnessed=tally.witnessed,
        unconfirmed=unconfirmed,
        lost=tally.lost,
        followers=followers,
        spoiled={reason.value: pages for reason, pages in read.spoiled.items()},
        odd=tally.absent if run.odd else 0,
        finished=finished,
        why=run.why,
    )


def _wants_quick_scan(memory: Memory) -> bool:
    """Whether a second scan within minutes would settle how far the places can be trusted."""
    unsettled = memory.order is not ListOrder.CONFIRMED or memory.renumber
    return unsettled and memory.pages <= QUICK_PAGES and memory.people >= RUN_NEEDED
