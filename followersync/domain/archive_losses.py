"""Losses proven by exports: what an export says of stored people whom it does not list.

One export makes nobody lost. A person missing from a whole, plausible export becomes
unconfirmed; a second one, made at least `LOOKS_APART` later, proves the loss. A look at the edge
and one at an export count together. `store/archive_verdicts.py` applies the same rules
in SQL to a million rows; a property test compares the two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from math import ceil, log

from followersync.domain.archive_completeness import Assessment, Completeness, Reason
from followersync.domain.values import LOOKS_APART, TIMES_KEPT, Absence

LOOKS = 2
"""Looks that prove a loss, by exports or the edge."""
BLOCK = 5
"""Neighbours who are missing together; fewer may be friends who left together."""
BY_CHANCE = 1_000
"""A longer block comes about by chance once in so many exports."""


class Flaw(StrEnum):
    """Why an export proves nobody's absence although people are missing from it."""

    OLDER = "older"
    REPEATED = "repeated"
    PART_FEWER = "part_fewer"
    PART_TWICE = "part_twice"
    PART_ORDER = "part_order"
    STRANGERS = "strangers"
    REDATED = "redated"
    BLOCK = "block"
    SIZE = "size"
    UNNAMED = "unnamed"


class Weight(StrEnum):
    """How an export affects the people it does not list: not at all; they are shown as unconfirmed,
    but it does not count as a look; or it counts as one."""

    NOTHING = "nothing"
    SHOWS = "shows"
    COUNTS = "counts"


class Verdict(StrEnum):
    """The verdict about a stored person whom an export does not list; None: no change.

    MISSED: the look counts. DOUBTFUL: they may be listed under another name. BLOCK: their
    neighbours are missing, too. OUTSIDE: the export does not reach as far. SHOWN: unconfirmed, but
    the look does not count. WAITING: it came too soon after the last.
    """

    RENAMED = "renamed"
    LOST = "lost"
    MISSED = "missed"
    DOUBTFUL = "doubtful"
    BLOCK = "block"
    OUTSIDE = "outside"
    SHOWN = "shown"
    WAITING = "waiting"


class Redating(StrEnum):
    """SPREAD: most dates changed; LUMP: many people have the same new date."""

    NONE = "none"
    SPREAD = "spread"
    LUMP = "lump"


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """An export and what was known before it.

    `newer`: certainly made after every earlier export. `repeated`: the same rows were imported
    before. `earliest`, `latest`: the moments between which it was made. `edge_at`: when the edge
    last looked. `ranges`: (oldest, newest) follow second of each part, by number. `repeats`: rows
    whose name is repeated. `unnamed`: a row without name or date may be anybody. `last_people`,
    `last_parts`, `last_reasons`: of the previous export, None where it was no whole list.
    `complete`: the stored list is known to be complete.
    """

    assessment: Assessment
    newer: bool
    earliest: int | None
    latest: int
    repeated: bool = False
    edge_at: int | None = None
    ranges: tuple[tuple[int, int], ...] = ()
    repeats: int = 0
    unnamed: bool = False
    oldest_listed: bool = False
    last_people: int | None = None
    last_parts: int | None = None
    last_reasons: frozenset[str] = frozenset()
    complete: bool = False

    @property
    def whole(self) -> bool:
        """Whether it reaches as far back as the stored list.

        An owner who followed others for years before anybody followed back has whole exports that
        look like those of a date range; the oldest stored person tells them apart.
        """
        kind, reasons = self.assessment.kind, self.assessment.reasons
        if kind is Completeness.RANGED:
            return reasons == (Reason.FOLLOWING_OLDER,) and self.oldest_listed
        return kind is Completeness.WHOLE or reasons == (Reason.COUNT_SHORT,)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures of an export compared with the list: people `stored`, `listed`, and in both
    (`shared`).

    `missing`: stored and not listed, without renamed people and those outside of its dates;
    `fresh`: those of them who were not missed before; `blocked`: those of the fresh who stood in a
    missing block. `redated`: shared people with another date; `lump`: the most of them who have the
    same new date. `found`: unknown people who should have been in the previous export.
    """

    stored: int
    listed: int
    shared: int
    missing: int = 0
    fresh: int = 0
    blocked: int = 0
    redated: int = 0
    lump: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What an export is worth. `sees_new`: it covers people whom nothing missed before."""

    weight: Weight
    flaws: tuple[Flaw, ...]
    earliest: int | None
    latest: int
    sees_new: bool

    @property
    def proves_until(self) -> int:
        """People last missed at or before this time may be missed a further time."""
        return (self.earliest or 0) - LOOKS_APART

    @property
    def shows(self) -> bool:
        """Whether a listed person counts as seen, which clears an earlier record of absence."""
        return self.earliest is not None and not {Flaw.OLDER, Flaw.REPEATED} & set(self.flaws)

    @property
    def admits_found(self) -> bool:
        """Whether unknown people enter the list who should have been in the previous export."""
        return Flaw.STRANGERS not in self.flaws


def many(part: int, whole: int) -> bool:
    """More than a tenth, and more than two."""
    return part > max(2, whole // 10)


def redating(compared: Comparison) -> Redating:
    """Whether many dates changed at once, which is no act of the people."""
    if compared.lump > max(2, compared.shared // 100):
        return Redating.LUMP
    return Redating.SPREAD if many(compared.redated, compared.shared) else Redating.NONE


def block_length(stored: int, missing: int) -> int:
    """How many missing neighbours make a block: more than leave together by chance.

    Half of all missing people are a block wherever they stood together.
    """
    if missing >= stored:
        return BLOCK
    by_chance = ceil(log(BY_CHANCE * stored) / log(stored / missing))
    return max(BLOCK, min(by_chance, missing // 2))


def blocks(missing: Sequence[int], present: Sequence[int], length: int) -> list[bool]:
    """For each missing place (rising): whether it is one of `length` with nobody present
    between."""
    filled = {bisect_right(missing, place) for place in present}
    runs: list[list[int]] = []
    for index in range(len(missing)):
        if not index or index in filled:
            runs.append([])
        runs[-1].append(index)
    return [len(run) >= length for run in runs for _ in run]


def out_of_order(ranges: Sequence[tuple[int, int]]) -> bool:
    """Whether a part is newer than the one before it: parts come newest first.

    One odd date in either changes only one end of it.
    """
    return any(low > above_low and high > above_high for (above_low, above_high), (low, high)
               in pairwise(ranges))  # fmt: skip


def weigh(facts: ExportFacts, compared: Comparison) -> Look:
    """What the export is worth as a look at the people it does not list."""
    weight, flaws = Weight.NOTHING, _void(facts, compared)
    if not flaws and compared.listed and Reason.PART_MISSING not in facts.assessment.reasons:
        flaws = _odd(facts, compared)
        newly_short = (
            Reason.COUNT_SHORT in facts.assessment.reasons
            and Reason.COUNT_SHORT not in facts.last_reasons
        )
        if facts.whole:
            weight = Weight.SHOWS if flaws or newly_short else Weight.COUNTS
        elif not {Flaw.SIZE, Flaw.BLOCK} & set(flaws):
            weight = Weight.SHOWS
    sees_new = facts.edge_at is None or (facts.earliest or 0) > facts.edge_at
    return Look(weight, flaws, facts.earliest, facts.latest, sees_new)


def _void(facts: ExportFacts, compared: Comparison) -> tuple[Flaw, ...]:
    """Flaws that make the export no look at all."""
    if facts.repeated:
        return (Flaw.REPEATED,)
    if not facts.newer or facts.earliest is None:
        return (Flaw.OLDER,)
    parts = len(facts.ranges)
    fewer = facts.last_parts is not None and parts < facts.last_parts
    fell = many(compared.fresh, compared.stored)
    # Strangers seen twice, with nobody missing, were missing from the earlier exports.
    met = Flaw.STRANGERS in facts.last_reasons and not fell
    found = {
        Flaw.REDATED: redating(compared) is not Redating.NONE,
        Flaw.PART_TWICE: facts.repeats > max(3, compared.listed // 100),
        Flaw.PART_ORDER: out_of_order(facts.ranges),
        Flaw.PART_FEWER: fewer and facts.whole and fell,
        Flaw.STRANGERS: facts.complete and not met and many(compared.found, compared.stored),
    }
    return tuple(flaw for flaw, holds in found.items() if holds)


def _odd(facts: ExportFacts, compared: Comparison) -> tuple[Flaw, ...]:
    """Flaws with which a whole export shows who is missing, but proves nothing."""
    last = facts.last_people
    fell = facts.whole and last is not None and many(last - compared.listed, last)
    found = {
        Flaw.BLOCK: compared.blocked > 0,
        Flaw.SIZE: fell or many(compared.fresh, compared.stored),
        Flaw.UNNAMED: facts.unnamed and compared.missing > 0,
    }
    return tuple(flaw for flaw, holds in found.items() if holds)


def judge(look: Look, absence: Absence | None, mark: Verdict | None = None) -> Verdict | None:
    """The verdict about a stored person whom the export does not list.

    `mark`: what is known of them (RENAMED, DOUBTFUL, BLOCK, OUTSIDE); None: nothing.
    """
    if mark is Verdict.RENAMED:
        return mark
    if look.weight is Weight.NOTHING or mark is Verdict.OUTSIDE:
        return None
    if absence is None and not look.sees_new:
        return None
    if mark is not None:
        return mark
    if look.weight is Weight.SHOWS:
        return Verdict.SHOWN
    if absence is None:
        return Verdict.MISSED
    if absence.last_at > look.proves_until:
        return Verdict.WAITING
    return Verdict.LOST if absence.witnessed + 1 >= LOOKS else Verdict.MISSED


def recorded(look: Look, absence: Absence | None, act: Verdict | None) -> Absence | None:
    """The absence to store after the verdict; None: none."""
    if act in (Verdict.RENAMED, Verdict.LOST):
        return None
    if act is Verdict.MISSED:
        before = absence or Absence(since=look.latest)
        return replace(
            before,
            looks=before.looks + 1,
            witnessed=before.witnessed + 1,
            last_at=look.latest,
            at=(*before.at[: TIMES_KEPT - 1], look.latest),
        )
    if absence is None and act in (Verdict.DOUBTFUL, Verdict.BLOCK, Verdict.SHOWN):
        return Absence(since=look.latest, last_at=look.latest)
    return absence
