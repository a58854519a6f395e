"""Comparison of an export with the stored list: who is renamed, missing, redated or new.

`store/archive_verdicts.py` applies the same rules in SQL; test_archive_verdicts.py compares the
two. Times in whole Unix seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from followersync.domain.archive_completeness import DateSpan, ListedExport, Stored, assess
from followersync.domain.archive_losses import (
    BLOCK,
    Comparison,
    ExportFacts,
    Look,
    Redating,
    Verdict,
    block_length,
    blocks,
    judge,
    redating,
    weigh,
)
from followersync.domain.values import Absence

MINUTE = 60


class ListedVerdict(StrEnum):
    """The verdict about a listed name."""

    CAME_BACK = "came_back"
    REDATED = "redated"
    GAINED = "gained"
    FOUND = "found"
    RETURNED = "returned"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """A row of the list: `key` is below 0 where only archives know the person.

    `place` orders the list; for keys below 0 it is their follow second, 0 where unknown.
    `renamed_at`: when an archive last changed the name.
    """

    key: int
    name: str
    since: int | None
    place: int
    first_seen_at: int | None = None
    renamed_at: int | None = None
    absence: Absence | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """Rows by part, in the parts' order; `minute`: times are rounded down to it. `nameless`: the
    follow seconds of rows without a name; `unnamed`: some have neither."""

    parts: tuple[tuple[tuple[str, int | None], ...], ...]
    following: DateSpan | None = None
    part_missing: bool = False
    minute: bool = False
    nameless: tuple[int, ...] = ()
    unnamed: bool = False

    @property
    def people(self) -> dict[str, int | None]:
        """Every person once, with the newest date."""
        found: dict[str, int | None] = {}
        for part in self.parts:
            for name, second in part:
                known = found.get(name)
                found[name] = second if known is None else max(known, second or known)
        return found

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        spans = [[second for _, second in part if second is not None] for part in self.parts]
        return tuple((min(span), max(span)) for span in spans if span)


@dataclass(frozen=True, slots=True)
class PriorFacts:
    """What was known before, as in `ExportFacts`.

    `looked`: the earliest moment at which the last export can have been made, `until`: the latest
    at which this one can; `edge_whole_at`: when the edge last looked at a list that is whole;
    `edge_older`: that was before the newest follow listed; `covered`: spans of follow seconds in
    which newer exports showed everybody; `past`: the keys below 0 of lost people by name.
    """

    newer: bool
    earliest: int | None
    latest: int
    until: int
    repeated: bool = False
    edge_at: int | None = None
    edge_whole_at: int | None = None
    edge_older: bool = False
    looked: int | None = None
    covered: tuple[tuple[int, int], ...] = ()
    last_people: int | None = None
    last_parts: int | None = None
    last_reasons: frozenset[str] = frozenset()
    complete: bool = False
    reported: int | None = None
    baseline_at: int | None = None
    past: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """`acts`: of stored people, by key; `entries`: of unknown names; `renamed`: new names."""

    look: Look
    acts: dict[int, Verdict | ListedVerdict]
    entries: dict[str, ListedVerdict]
    renamed: dict[int, str]


def same_follow(one: int, other: int, *, minute: bool) -> bool:
    """Whether both may be the same follow; a time on a full minute may be a rounded one."""
    rounded = minute or not one % MINUTE or not other % MINUTE
    return one == other or (rounded and one // MINUTE == other // MINUTE)


def decide(export: Export, stored: Sequence[StoredPerson], before: PriorFacts) -> Decision:
    """All verdicts that the export allows."""
    people = export.people
    shared = [row for row in stored if row.name in people]
    absent = [row for row in stored if row.name not in people]
    names = {row.name for row in stored}
    unknown = {name: second for name, second in people.items() if name not in names}
    facts = _facts(export, stored, before, people)
    compared = _dates(export, shared, people, len(stored))
    renamed: dict[int, str] = {}
    fresh = before.newer and not before.repeated
    if fresh and not export.minute and redating(compared) is Redating.NONE:
        renamed = _renamed(absent, unknown, export.nameless, edge_older=before.edge_older)
    marks = _marks(export, facts, absent, stored, unknown, renamed, before)
    found = sum(
        name not in renamed.values() and (second or 0) <= (before.looked or 0)
        for name, second in unknown.items()
    )
    compared = _missing(compared, absent, marks, stored, found)
    look = weigh(facts, compared)
    acts: dict[int, Verdict | ListedVerdict] = {}
    for row in absent:
        act = judge(look, row.absence, marks.get(row.key))
        if act is not None:
            acts[row.key] = act
    for row in shared:
        entry = _dated(row, people[row.name], export, before, redating(compared))
        if entry is not None:
            acts[row.key] = entry
    entries = _entries(look, stored, unknown, renamed, before)
    return Decision(look, acts, entries, renamed)


def _facts(
    export: Export,
    stored: Sequence[StoredPerson],
    before: PriorFacts,
    people: Mapping[str, int | None],
) -> ExportFacts:
    rows = [second for part in export.parts for _, second in part]
    dated = [second for second in rows if second is not None]
    span = DateSpan(min(dated, default=None), max(dated, default=None), len(dated))
    since = [row.since for row in stored if row.since is not None]
    oldest = min(since, default=None)
    missing = [row for row in stored if row.name not in people]
    older = sum(
        row.since is not None and span.oldest is not None and row.since < span.oldest
        for row in missing
    )
    there = oldest is not None and not any(row.since == oldest for row in missing)
    names = {row.name for row in stored}
    undated = any(second is None for name, second in people.items() if name not in names)
    assessment = assess(
        ListedExport(len(people), span, export.following, export.part_missing),
        Stored(len(stored), older, there),
        before.reported,
    )
    return ExportFacts(
        assessment=assessment,
        newer=before.newer,
        repeated=before.repeated,
        earliest=before.earliest,
        latest=before.latest,
        edge_at=before.edge_at,
        ranges=export.ranges,
        repeats=len(rows) - len(people),
        unnamed=export.unnamed or undated,
        oldest_listed=there,
        last_people=before.last_people,
        last_parts=before.last_parts,
        last_reasons=before.last_reasons,
        complete=before.complete,
    )


def _dates(
    export: Export, shared: Sequence[StoredPerson], people: Mapping[str, int | None], stored: int
) -> Comparison:
    changed = [
        second
        for row in shared
        if row.since is not None
        and (second := people[row.name]) is not None
        and not same_follow(row.since, second, minute=export.minute)
    ]
    lump = max(Counter(changed).values(), default=0)
    return Comparison(stored, len(people), len(shared), redated=len(changed), lump=lump)


def _renamed(
    absent: Sequence[StoredPerson],
    unknown: Mapping[str, int | None],
    nameless: Collection[int],
    *,
    edge_older: bool,
) -> dict[int, str]:
    """Pairs of one absent and one unknown name that alone share a follow second."""
    old, new = defaultdict(list), defaultdict(list)
    for row in absent:
        old[row.since].append(row.key)
    for name, second in unknown.items():
        new[second].append(name)
    return {
        keys[0]: new[second][0]
        for second, keys in old.items()
        if second is not None and second not in nameless
        and len(keys) == 1 and len(new[second]) == 1 and (keys[0] < 0 or edge_older)
    }  # fmt: skip


def _marks(
    export: Export,
    facts: ExportFacts,
    absent: Sequence[StoredPerson],
    stored: Sequence[StoredPerson],
    unknown: Mapping[str, int | None],
    renamed: Mapping[int, str],
    before: PriorFacts,
) -> dict[int, Verdict]:
    """Reasons against a loss of missing people."""
    marks = dict.fromkeys(renamed, Verdict.RENAMED)
    seconds = [*(s for s in unknown.values() if s is not None), *export.nameless]
    others = [row for row in stored if row.key < 0 and row.since is not None]
    for row in absent:
        if row.key in marks:
            continue
        if not facts.whole and not _between(row, export):
            marks[row.key] = Verdict.OUTSIDE
        elif _doubtful(row, seconds, others, export, before):
            marks[row.key] = Verdict.DOUBTFUL
    _mark_blocks(absent, stored, marks)
    return marks


def _between(row: StoredPerson, export: Export) -> bool:
    """Whether one part lists people on both sides of them."""
    slack = MINUTE if export.minute else 0
    since = row.since
    return since is not None and any(low + slack < since < high for low, high in export.ranges)


def _doubtful(
    row: StoredPerson,
    seconds: Sequence[int],
    others: Sequence[StoredPerson],
    export: Export,
    before: PriorFacts,
) -> bool:
    """Whether they may have another name now: an unknown one, or one added or changed later."""
    if row.since is None:
        seen = row.first_seen_at if row.first_seen_at is not None else before.baseline_at
        return any(seen is None or second <= seen for second in seconds) or any(
            seen is not None
            and (other.since or 0) <= seen
            and other.first_seen_at is not None
            and other.first_seen_at > seen
            for other in others
            if other.key != row.key
        )
    since, named = row.since, -1 if row.first_seen_at is None else row.first_seen_at
    return any(same_follow(second, since, minute=export.minute) for second in seconds) or any(
        same_follow(other.since or 0, since, minute=export.minute)
        and max(
            -1 if other.first_seen_at is None else other.first_seen_at,
            -1 if other.renamed_at is None else other.renamed_at,
        )
        > named
        for other in others
        if other.key != row.key
    )


def _mark_blocks(
    absent: Sequence[StoredPerson], stored: Sequence[StoredPerson], marks: dict[int, Verdict]
) -> None:
    """Mark people missing together with their neighbours; doubtful ones count as missing."""
    gone = [row for row in absent if marks.get(row.key) not in (Verdict.RENAMED, Verdict.OUTSIDE)]
    if len(gone) < BLOCK:
        return
    length = block_length(len(stored), len(gone))
    keys = {row.key for row in absent if marks.get(row.key) is not Verdict.RENAMED}
    for known_by_id in (True, False):
        rows = sorted(
            (row.place, row.key) for row in gone if (row.key > 0) is known_by_id and row.place
        )
        present = [
            row.place for row in stored if (row.key > 0) is known_by_id and row.key not in keys
        ]
        flags = blocks([place for place, _ in rows], present, length)
        for (_, key), blocked in zip(rows, flags, strict=True):
            if blocked and key not in marks:
                marks[key] = Verdict.BLOCK


def _missing(
    compared: Comparison,
    absent: Sequence[StoredPerson],
    marks: Mapping[int, Verdict],
    stored: Sequence[StoredPerson],
    found: int,
) -> Comparison:
    gone = [row for row in absent if marks.get(row.key) not in (Verdict.RENAMED, Verdict.OUTSIDE)]
    fresh = [row for row in gone if row.absence is None]
    return Comparison(
        compared.stored,
        compared.listed,
        compared.shared,
        missing=len(gone),
        fresh=len(fresh),
        blocked=sum(marks.get(row.key) is Verdict.BLOCK for row in fresh),
        redated=compared.redated,
        lump=compared.lump,
        found=found,
    )


def _dated(
    row: StoredPerson, second: int | None, export: Export, before: PriorFacts, mass: Redating
) -> ListedVerdict | None:
    """The verdict about a person in both, who is neither lost nor returned, whatever the date.

    Except people whom a look missed and who follow since later than that look, which is second
    evidence that they had left.
    """
    since, newer = row.since, before.newer
    if second is None or second == since or mass is Redating.LUMP:
        return None
    if since is None:
        return ListedVerdict.REDATED
    if export.minute:
        return None
    if row.key > 0:
        older = second < since <= before.until
        unsure = newer and second > since and row.first_seen_at is None
        return ListedVerdict.REDATED if older or unsure else None
    if not newer:
        return None
    absence = row.absence
    again = absence is not None and absence.witnessed > 0 and second > absence.last_at
    return ListedVerdict.CAME_BACK if again and mass is Redating.NONE else ListedVerdict.REDATED


def _entries(
    look: Look,
    stored: Sequence[StoredPerson],
    unknown: Mapping[str, int | None],
    renamed: Mapping[int, str],
    before: PriorFacts,
) -> dict[str, ListedVerdict]:
    """Which unknown names enter the list, and how."""
    taken, entries = set(renamed.values()), dict[str, ListedVerdict]()
    keys = {row.key for row in stored}
    for name, second in unknown.items():
        entry = ListedVerdict.TAKEN if name in taken else _entry(look, stored, second, before)
        past = before.past.get(name)
        if (
            entry in (ListedVerdict.GAINED, ListedVerdict.FOUND)
            and past is not None
            and past not in keys
        ):
            entry = ListedVerdict.RETURNED
        if entry is not None:
            entries[name] = entry
    return entries


def _entry(
    look: Look, stored: Sequence[StoredPerson], second: int | None, before: PriorFacts
) -> ListedVerdict | None:
    if before.edge_whole_at is not None and (second or 0) <= before.edge_whole_at:
        return None
    if before.newer:
        if (second or 0) > (before.looked or 0):
            return ListedVerdict.GAINED
        return ListedVerdict.FOUND if look.admits_found else None
    known = second is not None and any(
        row.since is not None and same_follow(row.since, second, minute=False) for row in stored
    )
    covered = second is not None and any(low <= second <= high for low, high in before.covered)
    return None if second is None or known or covered else ListedVerdict.FOUND
