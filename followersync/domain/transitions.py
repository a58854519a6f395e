"""Transitions between the phases of a run: head scan, full scan, repeated pages, closing read."""

from __future__ import annotations

from dataclasses import replace

from followersync.domain import planner
from followersync.domain.page_diff import PageReading
from followersync.domain.state import JUMP, AccountState, FullScan, Phase, Run
from followersync.domain.values import LOOKS_APART, ScanMode, ScanReason

CLOSING_TRIES = 3
EMPTY_TRIES = 3
"""An empty page where people are expected is read in so many syncs before it is believed."""
LOOP_TRIES = 3
"""When so many consecutive heads seem to lead back up, our numbering is wrong."""
PAGES_KEPT = 200
LOOKS_AT_ONCE = 10
"""Boundaries between pages that are read again in the same run that missed people there."""
RESERVE = 2
"""Calls kept back for the closing read."""


def after_page(state: AccountState, page: PageReading, after: str | None, now: int) -> AccountState:
    """The state after a page; `after`: the cursor of the next page, None at the end."""
    match _run(state).phase:
        case Phase.HEAD:
            return _after_head(state, page, after, now)
        case Phase.FULL:
            return _after_full_scan_page(state, page, after, now)
        case Phase.LOOK:
            return _after_look(state, after, now)
        case _:
            return _after_closing(state, page, after, now)


def _after_head(
    state: AccountState, page: PageReading, after: str | None, now: int
) -> AccountState:
    run = _run(state)
    if not page.seen and after is None and run.walked == 1 and _expected(run):
        empties = state.memory.empties + 1
        state = replace(state, memory=replace(state.memory, empties=empties))
        if empties < EMPTY_TRIES:
            return _done(state)
    if after is None:
        return _whole_list_in_head(state, now)
    run = replace(run, after=after)
    state = replace(state, run=run)
    if page.orderly:
        return _after_known_people(state, now)
    if run.walked >= _head_pages(state):
        return _begin_full_scan(state, ScanReason.ORDER, now)
    return state


def _whole_list_in_head(state: AccountState, now: int) -> AccountState:
    """The head scan reached the list's end: it was a full scan, whatever else is open."""
    state = _begin_full_scan(
        replace(state, full_scan=None), _why_full(state, now) or ScanReason.SMALL, now
    )
    return _end_full_scan(state, now)


def _head_pages(state: AccountState) -> int:
    run = _run(state)
    return planner.head_pages(
        state.memory, reported=run.reported, followers=run.followers, size=run.page_size
    )


def _expected(run: Run) -> int:
    """People whom the list should show; for a first list by the count."""
    return run.followers or max(0, (run.reported or 0) - 2)


def _why_full(state: AccountState, now: int) -> ScanReason | None:
    run = _run(state)
    return planner.why_full(
        state.memory,
        now=now,
        reported=run.reported,
        followers=run.followers,
        unconfirmed=max(0, run.unconfirmed - state.memory.beyond),
        asked=run.asked,
    )


def _after_known_people(state: AccountState, now: int) -> AccountState:
    """Known people are reached: continue the full scan, read a page again, or end with the head."""
    run = _run(state)
    if state.full_scan is not None:
        if _looks_due(state, now):
            return _begin_looks(state, now)
        return _continue_full_scan(state, now)
    why = _why_full(state, now)
    if why is not None:
        return _unless_spent(_begin_full_scan(state, why, now), now)
    if _looks_due(state, now):
        return _begin_looks(state, now)
    if run.unconfirmed and run.ranges and run.walked == 1:
        return _judge(state, now)
    return _done(state)


def _looks_due(state: AccountState, now: int) -> bool:
    """Whether there are pages to read again, and another look at them would count."""
    return bool(state.memory.looks) and now - state.memory.looked_at >= LOOKS_APART


def _begin_looks(state: AccountState, now: int) -> AccountState:
    memory = replace(state.memory, looked_at=now)
    return replace(state, memory=memory, run=replace(_run(state), phase=Phase.LOOK))


def _continue_full_scan(state: AccountState, now: int) -> AccountState:
    """Continue the full scan that an earlier run left open."""
    run = replace(_run(state), phase=Phase.FULL, mode=ScanMode.FULL, why=ScanReason.UNFINISHED)
    return _unless_spent(replace(state, run=run), now)


def _begin_full_scan(state: AccountState, why: ScanReason, now: int) -> AccountState:
    """Continue below the head as a full scan, of which the head's pages are the first."""
    run = _run(state)
    full_scan = FullScan(
        started_at=now,
        why=why,
        page_size=run.page_size,
        after=run.after,
        renumber=False,
        first_page=run.first_page,
        floor=run.floor,
        read=run.read,
    )
    run = replace(run, phase=Phase.FULL, mode=ScanMode.FULL, why=why)
    return replace(state, run=run, full_scan=full_scan)


def _after_full_scan_page(
    state: AccountState, page: PageReading, after: str | None, now: int
) -> AccountState:
    full_scan, run = state.full_scan, _run(state)
    if full_scan is None:
        raise RuntimeError("no full scan is open")
    if not page.seen and after is None and full_scan.read.people < _expected(run):
        full_scan = replace(full_scan, tries=full_scan.tries + 1)
        state = replace(state, full_scan=full_scan)
        if full_scan.tries < EMPTY_TRIES:
            return begin_closing(state, now)
    if after is None:
        return _end_full_scan(state, now)
    tortoise = full_scan.tortoise
    if full_scan.read.pages & (full_scan.read.pages - 1) == 0:
        tortoise = after
    full_scan = replace(full_scan, after=after, back=full_scan.after, tries=0, tortoise=tortoise)
    return _unless_spent(replace(state, full_scan=full_scan), now)


def after_loop(state: AccountState, now: int) -> AccountState:
    """A cursor led back up: request the page that named it again, in the next sync."""
    run, full_scan = _run(state), state.full_scan
    if run.phase is Phase.CLOSING:
        return _closing_failed(state)
    if run.phase is not Phase.FULL or full_scan is None:
        doubts = state.memory.doubts + 1
        renumber = state.memory.renumber or doubts >= LOOP_TRIES
        memory = replace(state.memory, doubts=doubts, renumber=renumber)
        return begin_closing(replace(state, memory=memory), now)
    if full_scan.loops + 1 >= EMPTY_TRIES:
        memory = replace(state.memory, renumber=True)
        return begin_closing(replace(state, memory=memory, full_scan=None), now)
    full_scan = replace(full_scan, after=full_scan.back, loops=full_scan.loops + 1)
    return begin_closing(replace(state, full_scan=full_scan), now)


def _end_full_scan(state: AccountState, now: int) -> AccountState:
    full_scan = state.full_scan
    if full_scan is None:
        raise RuntimeError("no full scan is open")
    state = replace(state, full_scan=replace(full_scan, ended=True))
    if full_scan.read.pages == 1:
        return _judge(state, now)
    return begin_closing(state, now)


def _is_spent(run: Run) -> bool:
    """Whether only the calls that the closing read needs are left."""
    return run.calls_left is not None and run.calls >= run.calls_left - RESERVE


def _unless_spent(state: AccountState, now: int) -> AccountState:
    run = _run(state)
    if _is_spent(run) or on_schedule(state, now):
        return begin_closing(state, now)
    return state


def on_schedule(state: AccountState, now: int) -> bool:
    """Whether the open full scan is as far as it should be by now."""
    full_scan = state.full_scan
    if full_scan is None or full_scan.ended:
        return False
    pages = planner.paced_pages(
        state.memory, full_scan.why, started_at=full_scan.started_at, now=now
    )
    return pages is not None and full_scan.read.pages >= pages


def begin_closing(state: AccountState, now: int) -> AccountState:
    """Read the head again: it shows people who came, or left and came back, meanwhile."""
    run = _run(state)
    judged = run.looks_from is not None
    whole = state.full_scan is not None and state.full_scan.ended
    if not run.ranges and (judged or not whole):
        return _done(state)
    if not run.ordered:
        return _judge(state, now)
    return replace(state, run=_from_top(state, replace(run, phase=Phase.CLOSING, tries=0)))


def _from_top(state: AccountState, run: Run) -> Run:
    return replace(run, after=None, floor=state.memory.top + JUMP, above_all=True, walked=0)


def _after_closing(
    state: AccountState, page: PageReading, after: str | None, now: int
) -> AccountState:
    run = _run(state)
    if page.orderly or (page.seen and after is None):
        return _judge(state, now)
    strangers_only = page.seen and not page.sure
    if strangers_only and run.walked < _head_pages(state):
        return replace(state, run=replace(run, after=after))
    return _closing_failed(state)


def _closing_failed(state: AccountState) -> AccountState:
    """Try again from the top, a few times."""
    run = replace(_run(state), tries=_run(state).tries + 1)
    if run.tries >= CLOSING_TRIES:
        return _done(replace(state, run=run))
    return replace(state, run=_from_top(state, run))


def _after_look(state: AccountState, after: str | None, now: int) -> AccountState:
    run = _run(state)
    look = state.memory.looks[run.look]
    if run.look_page + 1 < len(look.limits) and after is not None:
        run = replace(run, look_page=run.look_page + 1, look_after=after)
        return replace(state, run=run)
    run = replace(run, look=run.look + 1, look_page=0, look_after=None)
    state = replace(state, run=run)
    if _is_spent(run):
        return begin_closing(state, now)
    if run.looks_from is not None:
        return state if run.look < run.looks_now else begin_closing(state, now)
    if run.look >= len(state.memory.looks):
        return (
            begin_closing(state, now)
            if state.full_scan is None
            else _continue_full_scan(state, now)
        )
    return state


def after_judgement(state: AccountState) -> AccountState:
    """Read the boundary of two pages again at once, if a person who stood there has no witnesses.

    Their first look then is a witnessed one, and the second look, minutes later, settles it.
    """
    run, full_scan, memory = _run(state), state.full_scan, state.memory
    if run.looks_from is not None or full_scan is None or not full_scan.ended:
        return _done(state)
    between = [look for look in memory.looks if len(look.limits) > 1]
    calls = LOOKS_AT_ONCE * 2 if run.calls_left is None else run.calls_left - RESERVE - run.calls
    now = min(len(between), LOOKS_AT_ONCE, calls // 2)
    if now <= 0:
        return _done(state)
    first = tuple(between[:now])
    rest = tuple(look for look in memory.looks if look not in first)
    run = replace(
        run,
        phase=Phase.LOOK,
        look=0,
        look_page=0,
        looks_now=now,
        looks_from=memory.next_page,
        ranges=(),
    )
    return replace(state, memory=replace(memory, looks=first + rest), run=run)


def cursor_lost(state: AccountState) -> AccountState:
    """The cursor of a full scan or a look is rejected: start from the top next time."""
    run = _run(state)
    if run.phase is Phase.LOOK:
        state = replace(state, memory=replace(state.memory, looks=()))
    else:
        state = replace(state, full_scan=None)
    return _done(state)


def _judge(state: AccountState, now: int) -> AccountState:
    run = _run(state)
    if run.judge_at is not None:
        now = max(now, run.judge_at + 1)
    return replace(state, run=replace(run, phase=Phase.JUDGE, judge_at=now, proof=True))


def _done(state: AccountState) -> AccountState:
    return replace(state, run=replace(_run(state), phase=Phase.DONE))


def _run(state: AccountState) -> Run:
    if state.run is None:
        raise RuntimeError("no run has begun")
    return state.run
