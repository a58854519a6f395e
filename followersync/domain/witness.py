"""Who is proven absent: by people who stand on either side, or by waiting long enough."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from followersync.domain.values import Absence, Absent, Lost, Moved, PageLook, Span, Tally

DAY = 86_400
LOOKS_FAST = 2
"""Witnessed looks that prove a loss. One of them reads more than the page in question: whoever
stands, by a mistake of ours, on the wrong page is then met on another."""
LOOKS_SLOW = 10
WAIT_SLOW = 12 * DAY
ODD_WAIT = DAY // 2
"""When every scan for so long missed implausibly many, their absence is taken seriously."""


def plausible(new_absent: int, followers: int, odd_since: int | None, at: int) -> bool:
    """Whether a whole look counts for those without witnesses, or shows only part of the list."""
    few = new_absent <= max(5, followers // 10)
    return few or (odd_since is not None and at - odd_since >= ODD_WAIT)


def unsteady(fresh: int, followers: int) -> bool:
    """Whether a look missed so many for the first time that the list may be cut.

    While Instagram is seen to cut the list here and there, waiting proves nothing.
    """
    return fresh > max(3, followers // 50)


class Testimony:
    """The clean pages of a judgement, searched by place in O(log n)."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = sorted(spans, key=lambda span: span.bottom)
        self._bottoms = [span.bottom for span in self._spans]
        self._reach: list[int] = []
        reach = -1
        for span in self._spans:
            reach = max(reach, span.top)
            self._reach.append(reach)

    def witness(self, place: int) -> Span | None:
        """The newest page with people above and below `place`."""
        found: Span | None = None
        at = bisect_left(self._bottoms, place) - 1
        while at >= 0 and self._reach[at] > place:
            span = self._spans[at]
            if span.top > place and (found is None or span.at > found.at):
                found = span
            at -= 1
        return found

    def between(self, place: int) -> PageLook | None:
        """How to read the end of one page and the beginning of the next as one page, for the sake
        of somebody who stood where they meet; None when the two were not read one after the other.
        """
        at = bisect_left(self._bottoms, place)
        if at == len(self._spans) or at == 0:
            return None
        above, below = self._spans[at], self._spans[at - 1]
        if above.limit < 2 or below.number != above.number + 1:
            return None
        return PageLook(above.after, (above.limit // 2, above.limit), above.top)


@dataclass(frozen=True, slots=True)
class JudgeContext:
    """What a judgement rests on.

    `whole`: the list was read to its end; `broad`: many pages of it were. `ordered`: places are
    agreed by two scans, so people can testify. `doubtful`: places of absent people are worth
    nothing yet, as are ever those up to `zone`. `plausible`: a look at those without witnesses
    counts. `steady_since`: since when no look missed several people at once; None: this one does.
    `again`: the run has judged before, and has read some pages again since; who had witnesses then,
    in what was `heard`, is not asked about twice.
    """

    testimony: Testimony
    at: int
    whole: bool
    broad: bool
    ordered: bool
    doubtful: bool
    zone: int
    plausible: bool
    steady_since: int | None
    again: bool = False
    heard: Testimony = field(default_factory=lambda: Testimony(()))

    def witness(self, person: Absent) -> Span | None:
        """The page that speaks of `person`, if any does that may."""
        if not self.believes(person) or self.heard.witness(person.place) is not None:
            return None
        return self.testimony.witness(person.place)

    def believes(self, person: Absent) -> bool:
        """Whether it is known where `person` stood."""
        return self.ordered and person.sure and person.place > self.zone


@dataclass(frozen=True, slots=True)
class Verdicts:
    lost: list[Lost] = field(default_factory=list)
    absences: list[tuple[int, Absence]] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    looks: list[PageLook] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


def judge(context: JudgeContext, absent: Sequence[Absent]) -> Verdicts:
    """Judge a batch of absent people; batches are independent of each other.

    Judging a batch twice at the same `context.at` changes nothing the second time.
    """
    lost: list[Lost] = []
    absences: list[tuple[int, Absence]] = []
    moved: list[Moved] = []
    looks: dict[PageLook, None] = {}
    witnessed = unconfirmed = fresh = 0
    for person in absent:
        sure = person.sure and person.place > context.zone
        span = context.witness(person)
        witnessed += span is not None
        fresh += context.whole and span is None and person.absence is None
        if context.doubtful and context.whole and sure:
            moved.append(Moved(person.key, person.place, sure=False))
        if span is None and context.believes(person) and not context.again:
            between = context.testimony.between(person.place)
            if between is not None:
                looks[between] = None
        absence = _looked(context, person, span)
        if absence is None:
            continue
        fast = absence.witnessed >= LOOKS_FAST and absence.looks > 0
        if fast or _slowly_lost(context, absence):
            lost.append(Lost(person.key, fast, absence.since, absence.looks))
            continue
        unconfirmed += 1
        if absence != person.absence:
            absences.append((person.key, absence))
        if span is not None and span.limit and absence.looks:
            looks[PageLook(span.after, (span.limit,), span.top)] = None
    missed = len(absent) if context.whole else witnessed
    tally = Tally(missed, witnessed, unconfirmed, len(lost), fresh)
    return Verdicts(lost, absences, moved, list(looks), tally)


def _looked(context: JudgeContext, person: Absent, span: Span | None) -> Absence | None:
    """The person's absence after this look; None if there is none to speak of."""
    absence = person.absence
    counts = context.whole and context.plausible
    if span is None and not counts:
        return absence
    if absence is None:
        absence = Absence(since=context.at, looks=0, witnessed=0, last_at=0)
    before = absence.last_at
    if context.again:
        return _looked_again(context, absence)
    if span is not None and span.at > before:
        absence = replace(absence, witnessed=absence.witnessed + 1, last_at=span.at)
    broad = span is not None and context.broad and span.at > before
    if (counts or broad) and context.at > before:
        absence = replace(absence, looks=absence.looks + 1, last_at=context.at)
    return absence


def _looked_again(context: JudgeContext, absence: Absence) -> Absence:
    """The witness that the first look of this run lacked."""
    if context.at <= absence.last_at:
        return absence
    return replace(absence, witnessed=absence.witnessed + 1, last_at=context.at)


def _slowly_lost(context: JudgeContext, absence: Absence) -> bool:
    return (
        context.whole
        and context.steady_since is not None
        and absence.looks >= LOOKS_SLOW
        and context.at - max(absence.since, context.steady_since) >= WAIT_SLOW
    )
