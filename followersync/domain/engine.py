"""State machine of a sync: each function takes the account's state and returns the next one.

It says what to read next; `services.sync.scanner` reads and commits each state together with the
rows of the same page. The simulation calls the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from followersync.domain import apply_page, completeness, planner, transitions
from followersync.domain.apply_page import PageOutcome
from followersync.domain.looks import judge_context, judged, list_end, reappeared
from followersync.domain.losses import Missing, Verdicts, judge
from followersync.domain.state import (
    JUMP,
    AccountState,
    FullScan,
    ListOrder,
    Phase,
    Run,
    dump,
    load,
)
from followersync.domain.values import (
    Finish,
    Judge,
    ListSource,
    PageRole,
    ReadCount,
    ReadPage,
    ScanMode,
    ScanReason,
    Step,
    StoredConnection,
)

__all__ = [
    "AccountState",
    "Missing",
    "PageOutcome",
    "Progress",
    "Verdicts",
    "begin_run",
    "count_read",
    "cursor_lost",
    "dump",
    "finish_run",
    "judge",
    "judge_context",
    "judged",
    "list_end",
    "load",
    "next_step",
    "page_read",
    "progress",
    "reappeared",
    "stop_run",
]

finish_run = completeness.finish_run


class UnexpectedStep(Exception):
    """An answer to a step that the state did not ask for: a bug of the caller."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much has been read; `expected` is None until a count is known."""

    seen: int
    expected: int | None
    pages: int


def begin_run(
    state: AccountState,
    *,
    now: int,
    source: ListSource,
    followers: int,
    unconfirmed: int,
    calls_left: int | None = None,
    asked: bool = False,
) -> AccountState:
    """Start a sync. Unfinished work of an earlier run is dropped; an open full scan is kept.

    `followers`, `unconfirmed`: stored rows. `calls_left`: calls that may be made, None: no limit.
    """
    memory = state.memory
    now = max(now, memory.last_at + 1, _judged_at(state.run) + 1)
    size = planner.page_size(memory, limit=source.page_limit, unconfirmed=unconfirmed)
    run = Run(
        started_at=now,
        phase=Phase.COUNT,
        ordered=source.ordered,
        followers=followers,
        unconfirmed=unconfirmed,
        calls_left=calls_left,
        asked=asked,
        page_size=size,
        floor=memory.top + JUMP,
        first_page=memory.next_page,
    )
    return replace(state, run=run)


def next_step(state: AccountState) -> Step:
    """What to do next; the same state always gives the same step."""
    run = _run(state)
    match run.phase:
        case Phase.COUNT:
            return ReadCount()
        case Phase.HEAD:
            return ReadPage(PageRole.HEAD, run.after, run.page_size)
        case Phase.CLOSING:
            return ReadPage(PageRole.CLOSING, run.after, run.page_size)
        case Phase.FULL:
            full_scan = apply_page.open_full_scan(state)
            return ReadPage(PageRole.FULL, full_scan.after, full_scan.page_size)
        case Phase.LOOK:
            look = state.memory.looks[run.look]
            after = run.look_after if run.look_page else look.after
            return ReadPage(PageRole.LOOK, after, look.limits[run.look_page])
        case Phase.JUDGE:
            if state.full_scan is not None and state.full_scan.ended:
                ranges = None if run.looks_from is None else run.ranges
                return Judge(ranges, state.full_scan.first_page)
            return Judge(run.ranges, run.first_page)
        case Phase.DONE:
            return Finish()


def count_read(state: AccountState, *, reported: int | None, now: int) -> AccountState:
    """Take Instagram's count; None: it is unknown, which is never the same as 0."""
    run = _run(state, Phase.COUNT)
    now = _moment(state, now)
    run = replace(run, reported=reported, calls=run.calls + 1, phase=Phase.HEAD, mode=ScanMode.HEAD)
    if not state.memory.renumber and state.memory.order is not ListOrder.NONE:
        return replace(state, run=run)
    if state.full_scan is not None and state.full_scan.renumber:
        return replace(state, run=replace(run, phase=Phase.FULL, mode=ScanMode.FULL))
    why = ScanReason.FIRST if state.memory.scans == 0 else ScanReason.ORDER
    full_scan = FullScan(
        started_at=now,
        why=why,
        page_size=run.page_size,
        after=None,
        renumber=True,
        first_page=state.memory.next_page,
        floor=state.memory.top + JUMP,
    )
    run = replace(run, phase=Phase.FULL, mode=ScanMode.FULL, why=why)
    memory = replace(state.memory, order=ListOrder.NONE, zone=state.memory.top)
    return AccountState(memory, full_scan, run)


def page_read(
    state: AccountState,
    *,
    rows: Sequence[tuple[int, str]],
    after: str | None,
    known: Mapping[int, StoredConnection],
    lost_before: Set[int],
    now: int,
) -> PageOutcome:
    """Take a page: `rows` newest first, `after` the cursor of the next (None: there is none)."""
    _run(state, Phase.HEAD, Phase.FULL, Phase.LOOK, Phase.CLOSING)
    return apply_page.page_read(
        state,
        rows=rows,
        after=after,
        known=known,
        lost_before=lost_before,
        now=_moment(state, now),
    )


def cursor_lost(state: AccountState) -> AccountState:
    """Instagram rejected the cursor: drop the scan or looks that depend on it."""
    _run(state)
    return transitions.cursor_lost(state)


def stop_run(state: AccountState, *, now: int) -> AccountState:
    """Read no further in this run; what was read is still closed and judged."""
    run = _run(state)
    if run.phase in (Phase.FULL, Phase.LOOK):
        return transitions.begin_closing(state, _moment(state, now))
    if run.phase in (Phase.COUNT, Phase.HEAD):
        return replace(state, run=replace(run, phase=Phase.DONE))
    return state


def progress(state: AccountState) -> Progress:
    """The progress to show to the member."""
    run, full_scan = state.run, state.full_scan
    expected = state.memory.reported if run is None or run.reported is None else run.reported
    if full_scan is not None:
        return Progress(full_scan.people, expected, full_scan.pages)
    return Progress(run.read.people if run else 0, expected, run.read.pages if run else 0)


def _moment(state: AccountState, now: int) -> int:
    """Not before the run began: after quick consecutive syncs it began a little ahead."""
    return max(now, _run(state).started_at)


def _judged_at(run: Run | None) -> int:
    """When an earlier, unfinished run judged people; -1: never."""
    return -1 if run is None or run.judge_at is None else run.judge_at


def _run(state: AccountState, *phases: Phase) -> Run:
    if state.run is None or (phases and state.run.phase not in phases):
        raise UnexpectedStep(state.run.phase if state.run else "no run")
    return state.run
