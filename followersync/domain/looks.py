"""Looks: what a judgement of absent people rests on, and what the account's memory keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from followersync.domain import count, patience, planner, transitions
from followersync.domain.losses import (
    MANY_AT_END,
    JudgeContext,
    Missing,
    Testimony,
    end_of,
    implausible,
)
from followersync.domain.patience import Reappearance
from followersync.domain.state import JUMP, AccountState, ListOrder, Memory, Run
from followersync.domain.values import Absence, PageLook, ScanMode, Span, Tally

PEAK_FOR = 10 * 86_400
"""How long the most people that a list showed are remembered."""
SPARSE = 1_000
"""In a long list one of so many people read may be newly missing because they left."""
STALE_FOR = 6 * 86_400
"""Pages were up to three days old, and for up to three days."""
TOPS_APART = 86_400 // 2
MIXED_FOR = 30 * 86_400
"""For so long a list seen in another order than newest first is expected to be."""


def list_end(state: AccountState, spans: Iterable[Span]) -> int:
    """The place below which nobody was shown: absent people below it have no witness there.

    In a list that is not newest first anybody may be left out at its end.
    """
    memory = state.memory
    ordered = memory.order is ListOrder.CONFIRMED and not is_mixed(memory)
    return end_of(spans, zone=memory.zone, ordered=ordered, top=memory.top + JUMP)


def is_mixed(memory: Memory) -> bool:
    """Whether the list was lately seen in another order than newest first."""
    return memory.mixed_at is not None and memory.last_at - memory.mixed_at < MIXED_FOR


def newcomers_above(tops: Sequence[tuple[int, int]], at: int) -> int:
    """The place above which people may have come since the moment that an old page shows."""
    before = [top for when, top in tops if when <= at - STALE_FOR]
    return before[-1] if before else tops[0][1] if tops else 0


def _with_top(memory: Memory, at: int) -> tuple[tuple[int, int], ...]:
    tops = memory.tops
    if tops and at - tops[-1][0] < TOPS_APART:
        return tops
    older = [one for one in tops if one[0] <= at - STALE_FOR]
    return (*older[-1:], *(one for one in tops if one not in older), (at, memory.top))


def judge_context(
    state: AccountState,
    spans: Iterable[Span],
    *,
    missing: Missing,
    followers: int,
    now: int,
    site: tuple[Reappearance, ...] = (),
) -> JudgeContext:
    """What the judgement rests on.

    `followers`: stored rows, of whom `missing` are absent. `site`: reappearances in many accounts
    at one time.
    """
    run, memory, full_scan = _run(state), state.memory, state.full_scan
    at = now if run.judge_at is None else run.judge_at
    spans = list(spans)
    after = run.looks_from or 0
    again = run.looks_from is not None
    whole = not again and full_scan is not None and full_scan.ended
    wide = whole or (memory.pages > planner.UNPACED_PAGES and run.mode is ScanMode.FULL)
    shown = followers - missing.absent
    very_many = whole and implausible(missing.new, followers)
    odd = very_many and not memory.odd
    ledger = memory.count
    if whole and not odd:
        ledger = _settled(state, shown, missing, at)
    current = _is_current(state, ledger, at, whole=whole)
    noise = count.slack(shown)
    agrees = current and count.explains(ledger, at=at, noise=noise)
    others = missing.absent - missing.counted - (missing.fresh if ledger.fresh_explained else 0)
    shows_all = whole and current and count.shows_all(ledger, shown=shown, at=at)
    return JudgeContext(
        testimony=Testimony(span for span in spans if span.number >= after),
        earlier_testimony=Testimony(span for span in spans if span.number < after),
        at=at,
        began=run.started_at,
        again=again,
        whole=whole,
        wide=wide,
        ordered=run.ordered and memory.order is ListOrder.CONFIRMED,
        doubtful=memory.order is not ListOrder.CONFIRMED,
        mixed=is_mixed(memory),
        zone=memory.zone,
        end=list_end(state, spans),
        odd=odd,
        very_many=very_many,
        count=ledger,
        explained=current and count.explains(ledger, at=at, others=others, noise=noise),
        explained_exactly=current and count.explains(ledger, at=at, others=others),
        sparse=missing.new <= max(1, run.read.people // SPARSE),
        shown=shown,
        newcomers=memory.count.gained,
        midst=missing.absent - missing.at_end,
        most=max(memory.peak[0], shown + missing.absent - missing.at_end),
        suspect=whole and _suspects_cap(state, ledger, shown, missing, at),
        new_at_end=missing.new_at_end,
        shows_all=shows_all,
        all_left=whole and agrees and count.all_left(ledger, shown=shown, at=at),
        lately=newcomers_above(memory.tops, at),
        patience=patience.patience_of((*memory.reappearances, *site), at),
    )


def _settled(state: AccountState, shown: int, missing: Missing, at: int) -> count.Ledger:
    """The count's ledger after a look at the whole list; unchanged if not read together."""
    run, ledger, full_scan = _run(state), state.memory.count, state.full_scan
    begun = run.started_at if full_scan is None else min(run.started_at, full_scan.started_at)
    if run.reported is None or at - begun > count.COMPARABLE:
        return ledger
    if count.is_absurd(run.reported, shown):
        return ledger
    return count.settle(
        ledger,
        reported=run.reported,
        shown=shown,
        absent=missing.absent,
        fresh=missing.fresh,
        at=at,
    )


def _is_current(state: AccountState, ledger: count.Ledger, at: int, *, whole: bool) -> bool:
    """Whether the ledger is up to date: settled by this look, or, for a look at some pages only,
    with a count that has not risen since by more than came."""
    run = _run(state)
    if run.reported is None or ledger.reported is None:
        return False
    if whole:
        return ledger is not state.memory.count
    return run.reported - ledger.reported - ledger.gained - ledger.found <= 0


def _suspects_cap(
    state: AccountState, ledger: count.Ledger, shown: int, missing: Missing, at: int
) -> bool:
    """Whether people newly missing at the list's end may have been pushed off it."""
    memory, run = state.memory, _run(state)
    agrees = count.explains(ledger, at=at, noise=count.slack(shown))
    agrees = agrees and count.is_exact(run.reported)
    if not missing.new_at_end or (agrees and ledger.moved_at >= at):
        return False
    pushed = memory.count.gained + memory.count.found > 0 and shown <= memory.shown
    return pushed or missing.new_at_end > MANY_AT_END or count.is_short(run.reported, shown)


def judged(
    state: AccountState,
    *,
    tally: Tally,
    looks: Sequence[PageLook],
    context: JudgeContext,
) -> AccountState:
    """The state after all batches of a judgement; `looks`: the pages to read again later."""
    run = _run(state)
    memory, again = state.memory, context.again
    waiting = [*looks, *(() if context.whole else memory.looks[run.look :])]
    wanted = not context.wide and tally.witnessed > tally.lost
    ledger = replace(context.count, waited=context.count.waited + tally.waited)
    memory = replace(
        memory,
        looks=tuple(dict.fromkeys(waiting))[: transitions.PAGES_KEPT],
        whole_wanted=wanted or (memory.whole_wanted and not context.whole),
        count=ledger,
    )
    if context.whole:
        shown = context.shown
        tops = _with_top(memory, context.at)
        memory = replace(memory, odd=context.very_many, shown=shown, beyond=tally.beyond, tops=tops)
        if shown >= memory.peak[0] or context.at - memory.peak[1] > PEAK_FOR:
            memory = replace(memory, peak=(shown, context.at))
    odd = run.odd if again else context.odd
    tally = run.tally.with_rejudged(tally) if again else tally
    state = replace(state, memory=memory, run=replace(run, tally=tally, odd=odd))
    return transitions.after_judgement(state)


def reappeared(
    state: AccountState, in_place: Sequence[Absence], elsewhere: Sequence[Absence], *, now: int
) -> AccountState:
    """The state after unconfirmed people were seen: in their old places, or elsewhere as new
    follows.

    People by whom the count came down raise it when they come back. All others in their old places
    had not left: they were withheld, unless by the count nobody was and it could not tell which of
    many had left.
    """
    back = sum(each.counted for each in (*in_place, *elsewhere))
    memory = state.memory
    ledger = replace(memory.count, gained=memory.count.gained + back)
    withheld = [each for each in in_place if each.settled and not each.agreed and not each.counted]
    reappearances = memory.reappearances
    if withheld and not count.is_balanced(memory.count, shown=memory.shown, now=memory.reported):
        longest = Reappearance(
            at=now,
            seconds=max(now - each.since for each in withheld),
            looks=max(each.looks for each in withheld),
        )
        reappearances = patience.remember(reappearances, longest)
    memory = replace(memory, count=ledger, reappearances=reappearances)
    return replace(state, memory=memory)


def _run(state: AccountState) -> Run:
    if state.run is None:
        raise RuntimeError("no run has begun")
    return state.run
