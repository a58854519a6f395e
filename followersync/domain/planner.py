"""Planner: which scan comes next, and why."""

from __future__ import annotations

from followersync.domain.state import ListOrder, Memory
from followersync.domain.values import LOOKS_APART, ScanReason

DAY = 86_400
FEW_PAGES = 5
"""Up to so many pages a full scan is cheap enough for every sync that has a reason."""
ASKED_PAGES = 20
"""Up to so many pages a requested sync reads the whole list."""
UNPACED_PAGES = 300
"""Up to so many pages a full scan is read in one run."""
ROUND = 5 * DAY
SLICE = 5
TAIL = 10
"""So many people alone on the last page are still enough evidence when a few of them leave."""
HEAD_PAGES = 5
"""A head scan that finds nobody known in so many pages, newcomers apart, becomes a full scan."""


def paced_pages(memory: Memory, why: ScanReason, *, started_at: int, now: int) -> int | None:
    """How many pages of an open full scan should have been read by now; None: as many as possible.

    A long list is read continuously in rounds of five days, a slice at each sync, so that calls are
    spread evenly and a person who left is first missed within a week, at a third of the cost of
    full scans at once. A first list, or one whose order is in doubt, is read as fast as possible.
    """
    if memory.pages <= UNPACED_PAGES or why in (ScanReason.FIRST, ScanReason.ORDER):
        return None
    return SLICE + memory.pages * (now - started_at) // ROUND


def head_pages(memory: Memory, *, reported: int | None, followers: int, size: int) -> int:
    """Within how many pages known people should be found, given the expected newcomers."""
    newcomers = 0 if reported is None else max(0, reported - followers)
    return HEAD_PAGES + 2 * newcomers // size + memory.pages // 20


def age_limit(pages: int) -> int:
    """Seconds after which a list of so many pages is read whole without another reason."""
    if pages <= FEW_PAGES:
        return DAY
    if pages <= 4 * FEW_PAGES:
        return 2 * DAY
    return 7 * DAY if pages <= UNPACED_PAGES else DAY // 2


def count_is_outside(memory: Memory, reported: int | None, followers: int) -> int:
    """By how much the count is outside what the stored people explain; 0: explained or unknown."""
    if memory.gap is None or reported is None:
        return 0
    expected = reported - memory.gap
    low = min((*memory.held[-3:], followers))
    high = max((*memory.held[-3:], followers))
    return low - expected if expected < low else max(0, expected - high)


def why_full(
    memory: Memory,
    *,
    now: int,
    reported: int | None,
    followers: int,
    unconfirmed: int,
    asked: bool = False,
) -> ScanReason | None:
    """Why the whole list should be read now, or None: the head is enough.

    `unconfirmed`: people whom another look may settle. `asked`: a person, not the schedule,
    requested this sync.
    """
    if memory.scans == 0:
        return ScanReason.FIRST
    age = now - (memory.full_at or 0)
    few = memory.pages <= FEW_PAGES
    if memory.renumber or memory.order is not ListOrder.CONFIRMED:
        return ScanReason.ORDER if memory.pages <= UNPACED_PAGES or age >= DAY // 2 else None
    if unconfirmed and age >= (LOOKS_APART if few else DAY):
        return ScanReason.UNCONFIRMED
    if memory.whole_wanted and memory.pages <= ASKED_PAGES and age >= LOOKS_APART:
        return ScanReason.UNCONFIRMED
    if asked and memory.pages <= ASKED_PAGES:
        return ScanReason.ASKED
    moved = reported is not None and memory.gap is not None and reported - memory.gap != followers
    if few and moved:
        # A scan costs a few calls at most; waiting for certainty would hide who is missing.
        return ScanReason.COUNT
    outside = count_is_outside(memory, reported, followers)
    if outside > max(3, followers // 100) or (outside and memory.outside):
        return ScanReason.COUNT
    return ScanReason.AGE if age >= age_limit(memory.pages) else None


def page_size(memory: Memory, *, limit: int, unconfirmed: int) -> int:
    """Rows per page: while somebody is unconfirmed every other scan asks for a seventh less.

    Page ends then fall elsewhere, so people who stood at one have people on both sides. A few rows
    less are requested where the last page would hold too few people to be evidence.
    """
    least = max(1, limit - limit // 7)
    if unconfirmed and memory.scans % 2:
        return least
    for size in range(limit, least - 1, -1):
        if memory.people <= size or not 0 < memory.people % size < TAIL:
            return size
    return limit
