"""The rule for archives by itself: what one export, two, or an export and the edge may prove."""

from __future__ import annotations

from dataclasses import replace

import pytest

from followersync.domain.archive_completeness import Assessment, Completeness, Reason
from followersync.domain.archive_losses import (
    Comparison,
    ExportFacts,
    Flaw,
    Look,
    Redating,
    Verdict,
    Weight,
    block_length,
    blocks,
    judge,
    out_of_order,
    recorded,
    redating,
    weigh,
)
from followersync.domain.values import LOOKS_APART, Absence

NOW = 1_800_000_000
WHOLE = Assessment(Completeness.WHOLE, (Reason.COUNT_AGREES,))
RANGED = Assessment(Completeness.RANGED, (Reason.STORED_OLDER,))
SHORT = Assessment(Completeness.PARTIAL, (Reason.COUNT_SHORT,))
PART = Assessment(Completeness.PARTIAL, (Reason.PART_MISSING,))
ALWAYS_OLDER = Assessment(Completeness.RANGED, (Reason.FOLLOWING_OLDER,))

FACTS = ExportFacts(WHOLE, newer=True, earliest=NOW, latest=NOW)
FIVE_MISSING = Comparison(stored=100, listed=95, shared=95, missing=5, fresh=5)
COUNTS = Look(Weight.COUNTS, (), NOW, NOW, sees_new=True)
ONCE = Absence(NOW - LOOKS_APART, 1, 1, last_at=NOW - LOOKS_APART)


@pytest.mark.parametrize(
    ("facts", "compared", "weight", "flaws"),
    [
        ({}, {}, Weight.COUNTS, ()),
        ({"newer": False}, {}, Weight.NOTHING, (Flaw.OLDER,)),
        ({"earliest": None}, {}, Weight.NOTHING, (Flaw.OLDER,)),
        ({"repeated": True}, {}, Weight.NOTHING, (Flaw.REPEATED,)),
        ({"assessment": PART}, {}, Weight.NOTHING, ()),
        ({"repeats": 30}, {}, Weight.NOTHING, (Flaw.PART_TWICE,)),
        ({"repeats": 2}, {}, Weight.COUNTS, ()),
        ({"ranges": ((5, 9), (7, 12))}, {}, Weight.NOTHING, (Flaw.PART_ORDER,)),
        ({"ranges": ((7, 9),), "last_parts": 3}, {}, Weight.COUNTS, ()),
        (
            {"ranges": ((7, 9),), "last_parts": 3},
            {"fresh": 30},
            Weight.NOTHING,
            (Flaw.PART_FEWER,),
        ),
        ({"complete": True}, {"found": 20}, Weight.NOTHING, (Flaw.STRANGERS,)),
        ({}, {"found": 20}, Weight.COUNTS, ()),
        (
            {"complete": True, "last_reasons": frozenset({"strangers"})},
            {"found": 20},
            Weight.COUNTS,
            (),
        ),
        ({}, {"redated": 60}, Weight.NOTHING, (Flaw.REDATED,)),
        ({}, {"redated": 3, "lump": 3}, Weight.NOTHING, (Flaw.REDATED,)),
        ({}, {"redated": 1, "lump": 1}, Weight.COUNTS, ()),
        ({}, {"blocked": 5}, Weight.SHOWS, (Flaw.BLOCK,)),
        ({}, {"missing": 11, "fresh": 11}, Weight.SHOWS, (Flaw.SIZE,)),
        ({}, {"missing": 11, "fresh": 0}, Weight.COUNTS, ()),
        ({"last_people": 110}, {}, Weight.SHOWS, (Flaw.SIZE,)),
        ({"unnamed": True}, {}, Weight.SHOWS, (Flaw.UNNAMED,)),
        ({"unnamed": True}, {"missing": 0, "fresh": 0}, Weight.COUNTS, ()),
        ({"assessment": SHORT}, {}, Weight.SHOWS, ()),
        (
            {"assessment": SHORT, "last_reasons": frozenset({"count_short"})},
            {},
            Weight.COUNTS,
            (),
        ),
        ({"assessment": RANGED}, {}, Weight.SHOWS, ()),
        ({"assessment": RANGED}, {"blocked": 5}, Weight.NOTHING, (Flaw.BLOCK,)),
        ({"assessment": ALWAYS_OLDER}, {}, Weight.SHOWS, ()),
        ({"assessment": ALWAYS_OLDER, "oldest_listed": True}, {}, Weight.COUNTS, ()),
        ({}, {"listed": 0}, Weight.NOTHING, ()),
    ],
)
def test_what_an_export_is_worth(
    facts: dict[str, object], compared: dict[str, int], weight: Weight, flaws: tuple[Flaw, ...]
) -> None:
    look = weigh(replace(FACTS, **facts), replace(FIVE_MISSING, **compared))  # type: ignore[arg-type]

    assert (look.weight, look.flaws) == (weight, flaws)


@pytest.mark.parametrize(
    ("look", "absence", "mark", "act"),
    [
        (COUNTS, None, None, Verdict.MISSED),
        (COUNTS, ONCE, None, Verdict.LOST),
        (COUNTS, replace(ONCE, last_at=ONCE.last_at + 1), None, Verdict.WAITING),
        (COUNTS, replace(ONCE, witnessed=0), None, Verdict.MISSED),
        (COUNTS, ONCE, Verdict.DOUBTFUL, Verdict.DOUBTFUL),
        (COUNTS, ONCE, Verdict.BLOCK, Verdict.BLOCK),
        (COUNTS, ONCE, Verdict.OUTSIDE, None),
        (COUNTS, ONCE, Verdict.RENAMED, Verdict.RENAMED),
        (replace(COUNTS, weight=Weight.SHOWS), None, None, Verdict.SHOWN),
        (replace(COUNTS, weight=Weight.SHOWS), ONCE, None, Verdict.SHOWN),
        (replace(COUNTS, weight=Weight.NOTHING), ONCE, None, None),
        (replace(COUNTS, sees_new=False), None, None, None),
        (replace(COUNTS, sees_new=False), ONCE, None, Verdict.LOST),
    ],
)
def test_one_export_makes_nobody_lost_and_a_second_look_hours_later_does(
    look: Look, absence: Absence | None, mark: Verdict | None, act: Verdict | None
) -> None:
    assert judge(look, absence, mark) is act


def test_an_export_counts_as_one_witnessed_look_of_the_moment_it_was_made() -> None:
    look = replace(COUNTS, latest=NOW + 60)

    missed = Absence(NOW + 60, 1, 1, last_at=NOW + 60, at=(NOW + 60,))
    assert recorded(look, None, Verdict.MISSED) == missed
    assert recorded(look, None, Verdict.SHOWN) == Absence(NOW + 60, 0, 0, last_at=NOW + 60)
    assert recorded(look, ONCE, Verdict.WAITING) == ONCE
    assert recorded(look, ONCE, Verdict.LOST) is None


def test_an_export_older_than_the_edges_look_says_nothing_of_whom_the_edge_has_seen() -> None:
    assert not weigh(replace(FACTS, edge_at=NOW), FIVE_MISSING).sees_new
    assert weigh(replace(FACTS, edge_at=NOW - 1), FIVE_MISSING).sees_new


def test_neighbours_who_are_missing_together_are_a_block_and_scattered_people_are_not() -> None:
    present = [place for place in range(100) if not 40 <= place < 46]

    assert blocks(range(40, 46), present, 5) == [True] * 6
    assert blocks(range(0, 100, 9), list(range(1, 100)), 5) == [False] * 12
    assert blocks([7, 7, 7], [7], 3) == [True] * 3


@pytest.mark.parametrize(
    ("held", "missing", "length"),
    [(60, 5, 5), (200, 20, 6), (1_000_000, 100_000, 9), (100, 30, 10), (60, 50, 25), (9, 9, 5)],
)
def test_the_more_are_missing_the_longer_a_block_must_be_not_to_be_chance(
    held: int, missing: int, length: int
) -> None:
    assert block_length(held, missing) == length


def test_one_odd_date_does_not_put_the_parts_out_of_order() -> None:
    assert not out_of_order([(1, 300), (150, 200), (100, 149)])
    assert not out_of_order([(201, 300), (150, 290), (100, 149)])
    assert out_of_order([(100, 149), (201, 300)])


def test_many_new_dates_are_a_mass_and_one_is_not() -> None:
    assert redating(replace(FIVE_MISSING, redated=10, lump=1)) is Redating.SPREAD
    assert redating(replace(FIVE_MISSING, redated=9, lump=1)) is Redating.NONE
    assert redating(replace(FIVE_MISSING, redated=95, lump=95)) is Redating.LUMP
