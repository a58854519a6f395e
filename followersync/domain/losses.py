"""Losses: which absent people of a paged list are proven to have left.

Every verdict about an absent person of a paged list is made here; those of exports are made in
`archive_losses.py`. docs/losses.md says what each rule withstands.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from followersync.domain.count import Ledger, is_exact, is_short
from followersync.domain.patience import Patience
from followersync.domain.state import GAP
from followersync.domain.values import (
    LOOKS_APART,
    TIMES_KEPT,
    Absence,
    Absent,
    Lost,
    Moved,
    PageLook,
    Proof,
    Span,
    Tally,
)

DAY = 86_400
LOOKS_AT_END = 5
WAIT_AT_END = 4 * DAY
"""What proves the loss of people without witnesses (the newest, the oldest, a list of a few) where
the count agrees."""
MANY_AT_END = 2
"""When more people than this are missing at the list's end at once, the list may be capped."""

LONGER = 2
SHORTER = 3
"""Looks that find the list longer or shorter, and so not capped where somebody is missing."""
NEAR = 16 * GAP
"""People whose places differ by less are neighbours."""


def implausible(new_absent: int, followers: int) -> bool:
    """Whether a look at the whole list misses so many for the first time that it may be broken."""
    return new_absent > max(5, followers // 10)


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
        """How to read the end of one page and the beginning of the next as one page, because of
        somebody who stood at their boundary; None when the two were not read one after the other.
        """
        at = bisect_left(self._bottoms, place)
        if at == len(self._spans) or at == 0:
            return None
        above, below = self._spans[at], self._spans[at - 1]
        if above.limit < 2 or below.number != above.number + 1:
            return None
        return PageLook(above.after, (above.limit // 2, above.limit), above.top)


@dataclass(frozen=True, slots=True)
class Missing:
    """How many are absent in a look.

    All; those without a record so far; those whom no look at the whole list missed before; those by
    whom the count came down; those at the list's end (see `end_of`), and those of them without a
    record.
    """

    absent: int = 0
    new: int = 0
    fresh: int = 0
    counted: int = 0
    at_end: int = 0
    new_at_end: int = 0


def missing_of(absent: Sequence[Absent], end: int) -> Missing:
    """The figures of these absent people; `store.count_absent` counts the same in the database.

    `end`: the place below which nobody was shown. Unsure people may have stood there.
    """
    at_end = [one for one in absent if not one.sure or one.place < end]
    records = [one.absence for one in absent]
    return Missing(
        absent=len(absent),
        new=sum(record is None for record in records),
        fresh=sum(record is None or not record.settled for record in records),
        counted=sum(record is not None and record.counted for record in records),
        at_end=len(at_end),
        new_at_end=sum(one.absence is None for one in at_end),
    )


@dataclass(frozen=True, slots=True)
class JudgeContext:
    """What a judgement rests on.

    `began`: when the run did. `whole`: the list was read to its end in the scan that is judged;
    `wide`: it was, or the due part of a very long list. `ordered`: places are confirmed by two
    scans, so people can be witnesses. `doubtful`: places of absent people cannot be trusted yet,
    nor ever those up to `zone`. `mixed`: newcomers are not listed on top, so that a page of old
    neighbours may be an old page. `end`: nobody stands below people below this place. `very_many`:
    the look misses so many for the first time that it may be broken; `odd`: and is the first to do
    so, so nobody is marked. `patience`: how long people were lately missed who came back. `count`:
    the ledger after this look; `explained`: it came down at once by all missing people but those
    who are not `counted`, `explained_exactly`: without any noise; `sparse`: in a long list, which
    the count cannot check, so few are missing for the first time that nothing seems to be withheld.
    `shows_all`: the list shows as many counted people as ever; `all_left`: and so missing people
    have left, unless they stand above `lately` and so may be new. `shown`: people shown, of whom so
    many `newcomers` may have come while they were read; `midst`: people missing among them; `most`:
    the most shown recently. `suspect`: people missing at the list's end may have been pushed off it
    by newcomers. `new_at_end`: how many are newly so. `again`: the run has judged before, and has
    read some pages again since; people who had witnesses then, in `earlier_testimony`, are not
    considered twice.
    """

    testimony: Testimony
    at: int
    began: int
    whole: bool
    wide: bool
    ordered: bool
    doubtful: bool
    mixed: bool
    zone: int
    end: int
    odd: bool
    very_many: bool
    count: Ledger
    explained: bool
    explained_exactly: bool
    sparse: bool
    shown: int
    newcomers: int
    midst: int
    most: int
    suspect: bool
    new_at_end: int
    shows_all: bool
    all_left: bool
    lately: int
    patience: Patience
    again: bool = False
    earlier_testimony: Testimony = field(default_factory=lambda: Testimony(()))

    def witness(self, person: Absent) -> Span | None:
        """The newest page that is evidence about `person`, if there is one."""
        if not self.knows_place(person) or self.earlier_testimony.witness(person.place) is not None:
            return None
        return self.testimony.witness(person.place)

    def knows_place(self, person: Absent) -> bool:
        """Whether the place of `person` is known."""
        return self.ordered and person.sure and person.place > self.zone

    def is_new(self, person: Absent) -> bool:
        """Whether `person` may be too new for an old page, which shows people who left instead."""
        return self.knows_place(person) and person.place > self.lately

    def counts(self, person: Absent) -> bool:
        """Whether the count came down by `person`, who is missed for the first time."""
        return self.count.fresh_explained and not self.is_new(person)

    def is_at_end(self, person: Absent) -> bool:
        """Whether `person` may have stood below the last who is shown."""
        return not self.knows_place(person) or person.place < self.end

    def agrees(self, absence: Absence, *, witnessed: bool) -> bool:
        """Whether the count confirms the loss of somebody with this record."""
        if self.wide and not self.whole:
            return absence.counted and self.sparse
        exact = witnessed or (self.explained_exactly and is_exact(self.count.reported))
        moved = self.count.moved_at >= absence.since
        return self.explained and absence.counted and exact and moved


@dataclass(frozen=True, slots=True)
class Verdicts:
    lost: list[Lost] = field(default_factory=list)
    absences: list[tuple[int, Absence]] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    looks: list[PageLook] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


def end_of(spans: Iterable[Span], *, zone: int, ordered: bool, top: int) -> int:
    """The place below which nobody was shown; above everybody where places are not trusted."""
    bottoms = [span.bottom for span in spans]
    return max(zone + 1, min(bottoms)) if ordered and bottoms else top


def judge(context: JudgeContext, absent: Sequence[Absent]) -> Verdicts:
    """Judge a batch of absent people; batches are independent of each other.

    Judging a batch twice at the same `context.at` changes nothing the second time.
    """
    verdicts = Verdicts()
    looks: dict[PageLook, None] = {}
    witnessed = unconfirmed = waited = beyond = 0
    crowded = _crowded(absent) if context.wide and not context.whole else frozenset()
    for person in absent:
        span = context.witness(person)
        witnessed += span is not None
        if context.doubtful and context.whole and person.sure and person.place > context.zone:
            verdicts.moved.append(Moved(person.key, person.place, sure=False))
        looks |= dict.fromkeys(_pages_to_read_again(context, person, span))
        absence = _after_look(context, person, span, crowded=person.key in crowded)
        if absence is None:
            continue
        proof = None if context.odd else proven(context, absence)
        if proof is not None:
            waited += proof in (Proof.WAITED, Proof.WAITED_LONG)
            place = person.place if context.knows_place(person) else None
            verdicts.lost.append(Lost(person.key, place, proof, absence))
            continue
        unconfirmed += 1
        beyond += absence.beyond
        if absence != person.absence:
            verdicts.absences.append((person.key, absence))
    missed = len(absent) if context.whole else witnessed
    tally = Tally(missed, witnessed, unconfirmed, len(verdicts.lost), waited, beyond)
    return replace(verdicts, looks=list(looks), tally=tally)


def proven(context: JudgeContext, absence: Absence) -> Proof | None:
    """What proves the loss of somebody with this record; None: nothing does yet."""
    if absence.beyond or not absence.whole:
        return None
    waited = context.at - absence.since
    counted = min(absence.witnessed, absence.agreed) >= context.patience.looks_counted
    if counted and not context.mixed and waited >= context.patience.seconds_counted:
        return Proof.COUNTED
    if absence.witnessed >= context.patience.looks and waited >= context.patience.seconds:
        return Proof.WAITED
    if min(absence.whole, absence.agreed) >= LOOKS_AT_END and waited >= WAIT_AT_END:
        return Proof.COUNTED_AT_END
    long = absence.whole >= context.patience.looks_long and waited >= context.patience.seconds_long
    if long and not is_short(context.count.reported, context.shown):
        return Proof.WAITED_LONG
    return None


def _pages_to_read_again(
    context: JudgeContext, person: Absent, span: Span | None
) -> Iterable[PageLook]:
    """Pages to read again because of `person`."""
    if span is not None and span.limit:
        yield PageLook(span.after, (span.limit,), span.top)
    if span is None and context.knows_place(person) and not context.again:
        between = context.testimony.between(person.place)
        if between is not None:
            yield between


def _crowded(absent: Sequence[Absent]) -> frozenset[int]:
    """People among whose neighbours others are missing too, as in a hole in the list."""
    places = sorted(person.place for person in absent)
    return frozenset(
        person.key
        for person in absent
        if bisect_left(places, person.place + NEAR) - bisect_left(places, person.place - NEAR) > 2
    )


def _after_look(
    context: JudgeContext, person: Absent, span: Span | None, *, crowded: bool
) -> Absence | None:
    """The person's absence after this look; None if there is none."""
    absence = person.absence
    if context.odd or (span is None and not context.whole):
        return absence
    if absence is None:
        absence = Absence(since=context.at)
    if context.again:
        return _with_late_witness(context, absence)
    if context.wide and not absence.settled:
        sparse = context.sparse and not crowded
        absence = replace(
            absence,
            settled=True,
            counted=context.counts(person) if context.whole else sparse,
            shown=context.shown,
            most=context.most,
        )
    if context.all_left and context.knows_place(person) and not context.is_new(person):
        absence = replace(absence, counted=True)
    absence = _with_whole_look(
        context, absence, at_end=context.is_at_end(person), witnessed=span is not None
    )
    if absence.looks and context.at < absence.last_at + LOOKS_APART:
        return absence
    return _with_look(context, absence, span)


def _with_whole_look(
    context: JudgeContext, absence: Absence, *, at_end: bool, witnessed: bool
) -> Absence:
    """The record after a look at the whole list, which is counted by itself.

    Soon after a look at some pages it is no further look, but a whole one; otherwise a person whose
    page is read often would never be missed by a whole one. A list that is short of the count is no
    look for people without witnesses in it.
    """
    if not context.wide or (absence.whole and context.at < absence.whole_at + LOOKS_APART):
        return absence
    if context.whole and not witnessed and is_short(context.count.reported, context.shown):
        suspect = absence.suspect or (context.suspect and at_end)
        return replace(absence, suspect=suspect, beyond=absence.beyond or (suspect and at_end))
    if context.whole:
        absence = _missed_by_whole(context, absence, at_end=at_end)
    return replace(absence, whole=absence.whole + 1, whole_at=context.at)


def _with_look(context: JudgeContext, absence: Absence, span: Span | None) -> Absence:
    """One look more. What withholds a row now withholds it minutes later, so looks count only
    LOOKS_APART from each other."""
    return replace(
        absence,
        looks=absence.looks + 1,
        witnessed=absence.witnessed + (span is not None),
        agreed=absence.agreed + context.agrees(absence, witnessed=span is not None),
        last_at=context.at,
        at=(*absence.at[: TIMES_KEPT - 1], context.at),
    )


def _missed_by_whole(context: JudgeContext, absence: Absence, *, at_end: bool) -> Absence:
    """The record with what this look says about a cap: a capped list always has one length."""
    few = context.new_at_end <= context.shown // 100
    shorter = few and context.shown + context.midst + context.new_at_end < absence.shown
    absence = replace(
        absence,
        suspect=absence.suspect or (context.suspect and at_end),
        longer=absence.longer + (context.shown - context.newcomers > absence.most),
        shorter=absence.shorter + shorter,
    )
    cleared = context.shows_all or _varies(absence)
    return replace(absence, beyond=absence.suspect and at_end and not cleared)


def _varies(absence: Absence) -> bool:
    """Whether the list's length has changed since, so that it is not capped there."""
    same = absence.whole - absence.longer - absence.shorter
    return absence.longer >= LONGER or (absence.shorter >= SHORTER and absence.shorter >= same)


def _with_late_witness(context: JudgeContext, absence: Absence) -> Absence:
    """The record with witnesses that the look before, in the same run, lacked."""
    if absence.last_at < context.began or absence.last_at == context.at:
        return absence
    return replace(absence, witnessed=absence.witnessed + 1, last_at=context.at)
