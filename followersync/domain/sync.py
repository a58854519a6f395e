"""One account's sync, step by step: the domain says what to read, the engine reads and stores.

Every function takes the account's state and gives the next one. The engine commits each state
together with the rows that resulted from the same page; the simulation drives the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from followersync.domain import closing, plan, reading, turns
from followersync.domain.looks import judge_context, judged, list_end, reappeared
from followersync.domain.losses import Missing, Verdicts, judge
from followersync.domain.reading import PageOutcome
from followersync.domain.state import (
    JUMP,
    AccountState,
    Campaign,
    Order,
    Phase,
    Run,
    dump,
    load,
)
from followersync.domain.values import (
    Finish,
    Judge,
    Known,
    Mode,
    Part,
    ReadCount,
    ReadPage,
    Source,
    Step,
    Why,
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

finish_run = closing.finish_run


class OutOfTurn(Exception):
    """An answer was given to a step that the state does not ask for: a bug of the caller."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading is; `expected` is None until a count is known."""

    seen: int
    expected: int | None
    pages: int


def begin_run(
    state: AccountState,
    *,
    now: int,
    source: Source,
    followers: int,
    unconfirmed: int,
    calls_left: int | None = None,
    asked: bool = False,
) -> AccountState:
    """Start a sync. What an earlier run left undone is dropped; an open campaign is kept.

    `followers`, `unconfirmed`: rows held. `calls_left`: calls that may be spent, None: no limit.
    """
    memory = state.memory
    now = max(now, memory.last_at + 1, _judged_at(state.run) + 1)
    size = plan.page_size(memory, limit=source.page_limit, unconfirmed=unconfirmed)
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
            return ReadPage(Part.HEAD, run.after, run.page_size)
        case Phase.CLOSING:
            return ReadPage(Part.CLOSING, run.after, run.page_size)
        case Phase.BODY:
            campaign = reading.open_campaign(state)
            return ReadPage(Part.BODY, campaign.after, campaign.page_size)
        case Phase.LOOK:
            look = state.memory.looks[run.look]
            after = run.look_after if run.look_page else look.after
            return ReadPage(Part.LOOK, after, look.limits[run.look_page])
        case Phase.JUDGE:
            if state.campaign is not None and state.campaign.ended:
                ranges = None if run.looks_from is None else run.ranges
                return Judge(ranges, state.campaign.first_page)
            return Judge(run.ranges, run.first_page)
        case Phase.DONE:
            return Finish()


def count_read(state: AccountState, *, reported: int | None, now: int) -> AccountState:
    """Take Instagram's count; None: it is unknown, which is never the same as 0."""
    run = _run(state, Phase.COUNT)
    now = _moment(state, now)
    run = replace(run, reported=reported, calls=run.calls + 1, phase=Phase.HEAD, mode=Mode.HEAD)
    if not state.memory.renumber and state.memory.order is not Order.NONE:
        return replace(state, run=run)
    if state.campaign is not None and state.campaign.renumber:
        return replace(state, run=replace(run, phase=Phase.BODY, mode=Mode.FULL))
    why = Why.FIRST if state.memory.scans == 0 else Why.ORDER
    campaign = Campaign(
        started_at=now,
        why=why,
        page_size=run.page_size,
        after=None,
        renumber=True,
        first_page=state.memory.next_page,
        floor=state.memory.top + JUMP,
    )
    run = replace(run, phase=Phase.BODY, mode=Mode.FULL, why=why)
    memory = replace(state.memory, order=Order.NONE, zone=state.memory.top)
    return AccountState(memory, campaign, run)


def page_read(
    state: AccountState,
    *,
    rows: Sequence[tuple[int, str]],
    after: str | None,
    known: Mapping[int, Known],
    lost_before: Set[int],
    now: int,
) -> PageOutcome:
    """Take a page: `rows` newest first, `after` the cursor of the next (None: there is none)."""
    _run(state, Phase.HEAD, Phase.BODY, Phase.LOOK, Phase.CLOSING)
    return reading.page_read(
        state,
        rows=rows,
        after=after,
        known=known,
        lost_before=lost_before,
        now=_moment(state, now),
    )


def cursor_lost(state: AccountState) -> AccountState:
    """Instagram no longer takes the cursor that was asked for: leave what hangs on it."""
    _run(state)
    return turns.cursor_lost(state)


def stop_run(state: AccountState, *, now: int) -> AccountState:
    """Read no further in this run; what was read is still closed and judged."""
    run = _run(state)
    if run.phase in (Phase.BODY, Phase.LOOK):
        return turns.begin_closing(state, _moment(state, now))
    if run.phase in (Phase.COUNT, Phase.HEAD):
        return replace(state, run=replace(run, phase=Phase.DONE))
    return state


def progress(state: AccountState) -> Progress:
    """For the member's eyes."""
    run, campaign = state.run, state.campaign
    expected = state.memory.reported if run is None or run.reported is None else run.reported
    if campaign is not None:
        return Progress(campaign.people, expected, campaign.pages)
    return Progress(run.read.people if run else 0, expected, run.read.pages if run else 0)


def _moment(state: AccountState, now: int) -> int:
    """Not before the run began: after a quick succession of syncs it began a little ahead."""
    return max(now, _run(state).started_at)


def _judged_at(run: Run | None) -> int:
    """When an earlier run, which was never finished, judged somebody; -1: it never did."""
    return -1 if run is None or run.judge_at is None else run.judge_at


def _run(state: AccountState, *phases: Phase) -> Run:
    if state.run is None or (phases and state.run.phase not in phases):
        raise OutOfTurn(state.run.phase if state.run else "no run")
    return state.run
