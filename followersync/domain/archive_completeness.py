"""Completeness of an export: whole, limited to a date range, partial, or unknown.

An export does not say so itself; its figures, the stored list and the count are compared.
A range of dates chosen at the export filters followers and leaves the followed accounts whole.
Whether an absence from the export counts is decided in `archive_losses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DAY = 86_400
# Measured upstream: ranged exports put the oldest follower this much behind the oldest followed.
RANGED_AFTER = 180 * DAY
ENOUGH_DATED = 10


@dataclass(frozen=True, slots=True)
class DateSpan:
    """The oldest and the newest follow second of `dated` people, None where nobody is dated."""

    oldest: int | None = None
    newest: int | None = None
    dated: int = 0


class Completeness(StrEnum):
    WHOLE = "whole"
    RANGED = "ranged"
    PARTIAL = "partial"
    DOUBTFUL = "doubtful"


class Reason(StrEnum):
    EMPTY = "empty"
    PART_MISSING = "part_missing"
    FOLLOWING_OLDER = "following_older"
    STORED_OLDER = "stored_older"
    COUNT_SHORT = "count_short"
    COUNT_AGREES = "count_agrees"
    FOLLOWING_AGREES = "following_agrees"
    STORED_AGREES = "stored_agrees"
    NOTHING_TO_COMPARE = "nothing_to_compare"


@dataclass(frozen=True, slots=True)
class ListedExport:
    """What the archive shows: people and dates, and whether a part is missing."""

    people: int
    span: DateSpan
    following: DateSpan | None = None
    part_missing: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored list beside the export.

    `older`: people whose follow is older than the archive's oldest, `followers`: all stored people.
    `oldest_listed`: the oldest dated stored person is in the archive.
    """

    followers: int = 0
    older: int = 0
    oldest_listed: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """`reasons`: what supports the kind; each is shown in words."""

    kind: Completeness
    reasons: tuple[Reason, ...]


def assess(listed: ListedExport, stored: Stored, reported: int | None) -> Assessment:
    """Assess the export; evidence of a gap outweighs any evidence of completeness.

    `reported` is Instagram's own count, None where it is unknown; it counts people whom no list
    shows, so a list somewhat shorter than the count proves nothing.
    """
    if listed.part_missing:
        return Assessment(Completeness.PARTIAL, (Reason.PART_MISSING,))
    if not listed.people:
        return _empty(stored, reported)
    ranged = _ranged(listed, stored)
    short = reported is not None and listed.people < reported - _tolerance(reported)
    if ranged:
        return Assessment(Completeness.RANGED, (*ranged, *([Reason.COUNT_SHORT] if short else [])))
    if short:
        return Assessment(Completeness.PARTIAL, (Reason.COUNT_SHORT,))
    agreeing = _agreeing(listed, stored, reported)
    if agreeing:
        return Assessment(Completeness.WHOLE, agreeing)
    return Assessment(Completeness.DOUBTFUL, (Reason.NOTHING_TO_COMPARE,))


def _empty(stored: Stored, reported: int | None) -> Assessment:
    if not stored.followers and reported is not None and reported <= 2:
        return Assessment(Completeness.WHOLE, (Reason.COUNT_AGREES,))
    return Assessment(Completeness.DOUBTFUL, (Reason.EMPTY,))


def _ranged(listed: ListedExport, stored: Stored) -> tuple[Reason, ...]:
    reasons = []
    gap = _gap(listed)
    if gap is not None and gap > RANGED_AFTER:
        reasons.append(Reason.FOLLOWING_OLDER)
    if stored.older > max(2, stored.followers // 100):
        reasons.append(Reason.STORED_OLDER)
    return tuple(reasons)


def _agreeing(listed: ListedExport, stored: Stored, reported: int | None) -> tuple[Reason, ...]:
    reasons = []
    if reported is not None and abs(reported - listed.people) <= _tolerance(reported):
        reasons.append(Reason.COUNT_AGREES)
    if _gap(listed) is not None:
        reasons.append(Reason.FOLLOWING_AGREES)
    if stored.oldest_listed:
        reasons.append(Reason.STORED_AGREES)
    return tuple(reasons)


def _tolerance(reported: int) -> int:
    """How far Instagram's count may be off the list: it counts people whom no list shows."""
    return max(10, reported // 10)


def _gap(listed: ListedExport) -> int | None:
    """Seconds from the oldest followed account to the oldest follower; None if too few tell."""
    following, followers = listed.following, listed.span
    if following is None or following.oldest is None or followers.oldest is None:
        return None
    if min(following.dated, followers.dated) < ENOUGH_DATED:
        return None
    return followers.oldest - following.oldest
