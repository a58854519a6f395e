"""Who is proven absent; a mistake here says that somebody left who did not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain.values import Absence, Absent, Span
from followersync.domain.witness import (
    DAY,
    LOOKS_SLOW,
    WAIT_SLOW,
    JudgeContext,
    judge,
    plausible,
    unsteady,
)
from followersync.domain.witness import Testimony as Pages

NOW = 1_000 * DAY
PAGE = Span(number=7, top=200, bottom=100, at=NOW - 5, after="c", limit=50)


def context(*spans: Span, **changes: object) -> JudgeContext:
    usual = JudgeContext(
        testimony=Pages(spans),
        at=NOW,
        whole=True,
        broad=True,
        ordered=True,
        doubtful=False,
        zone=0,
        plausible=True,
        steady_since=0,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def cem(place: int = 150, *, sure: bool = True, absence: Absence | None = None) -> Absent:
    return Absent(1, place, sure, absence)


def test_one_witnessed_look_makes_somebody_unconfirmed_and_asks_for_that_page_again() -> None:
    verdicts = judge(context(PAGE), [cem()])

    assert verdicts.lost == []
    assert verdicts.absences == [(1, Absence(since=NOW, looks=1, witnessed=1, last_at=NOW))]
    assert [(look.after, look.limits) for look in verdicts.looks] == [("c", (50,))]


def test_a_second_witnessed_look_proves_the_loss() -> None:
    absence = Absence(since=NOW - 300, looks=1, witnessed=1, last_at=NOW - 300)
    verdicts = judge(context(PAGE, whole=False), [cem(absence=absence)])

    assert [(lost.key, lost.fast, lost.since) for lost in verdicts.lost] == [(1, True, NOW - 300)]


def test_two_looks_at_a_single_page_are_no_proof_for_it_may_be_the_wrong_page() -> None:
    absence = Absence(since=NOW - 300, looks=0, witnessed=1, last_at=NOW - 300)
    verdicts = judge(context(PAGE, whole=False, broad=False), [cem(absence=absence)])

    assert verdicts.lost == []
    assert verdicts.absences[0][1].witnessed == 2


def test_the_same_page_never_counts_twice() -> None:
    absence = Absence(since=NOW - 300, looks=1, witnessed=1, last_at=PAGE.at)
    verdicts = judge(context(PAGE, whole=False), [cem(absence=absence)])

    assert (verdicts.lost, verdicts.absences) == ([], [])


def test_judging_a_batch_again_after_a_kill_changes_nothing() -> None:
    first = judge(context(PAGE), [cem()])
    again = judge(context(PAGE), [cem(absence=first.absences[0][1])])

    assert (again.lost, again.absences) == ([], [])


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (cem(place=100), "they stood at the page's end"),
        (cem(place=250), "they stood on another page"),
        (cem(sure=False), "nobody is sure where they stood"),
    ],
)
def test_without_people_on_both_sides_nobody_is_witnessed(person: Absent, why: str) -> None:
    verdicts = judge(context(PAGE), [person])

    assert verdicts.tally.witnessed == 0, why
    assert verdicts.tally.fresh == 1


def test_before_two_scans_agree_on_the_order_nobody_testifies() -> None:
    assert judge(context(PAGE, ordered=False), [cem()]).tally.witnessed == 0


def test_a_list_not_read_to_its_end_says_nothing_of_those_without_witnesses() -> None:
    verdicts = judge(context(PAGE, whole=False), [cem(place=50)])

    assert verdicts.absences == []


OLD = Absence(since=NOW - WAIT_SLOW, looks=LOOKS_SLOW - 1, witnessed=0, last_at=NOW - DAY)


@pytest.mark.parametrize(
    ("absence", "changes", "lost"),
    [
        (OLD, {}, True),
        (replace(OLD, since=OLD.since + 1), {}, False),
        (replace(OLD, looks=LOOKS_SLOW - 2), {}, False),
        (OLD, {"steady_since": NOW - DAY}, False),
        (OLD, {"steady_since": None}, False),
        (OLD, {"whole": False}, False),
        (OLD, {"plausible": False, "steady_since": None}, False),
    ],
)
def test_who_can_have_no_witness_is_lost_only_after_long_quiet_waiting(
    absence: Absence, changes: dict[str, object], *, lost: bool
) -> None:
    verdicts = judge(context(**changes), [cem(absence=absence)])

    assert bool(verdicts.lost) is lost


def test_a_list_cut_in_half_makes_nobody_unconfirmed() -> None:
    assert not plausible(500, 1_000, None, NOW)
    assert judge(context(plausible=False), [cem()]).absences == []


def test_when_it_stays_cut_for_half_a_day_the_absence_is_shown() -> None:
    assert plausible(500, 1_000, NOW - DAY // 2, NOW)


@pytest.mark.parametrize(
    ("fresh", "followers", "cut"), [(3, 30, False), (4, 30, True), (20, 1_000, False)]
)
def test_several_newly_missing_at_once_show_a_cut_list(
    fresh: int, followers: int, *, cut: bool
) -> None:
    assert unsteady(fresh, followers) is cut


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 9)).map(
        lambda three: Span(0, max(three[:2]), min(three[:2]), three[2])
    )
)


@given(spans, st.integers(0, 60))
def test_the_witness_found_is_the_newest_page_around_the_place(
    pages: list[Span], place: int
) -> None:
    around = [page for page in pages if page.bottom < place < page.top]
    witness = Pages(pages).witness(place)

    assert (witness is None) == (not around)
    assert witness is None or witness.at == max(page.at for page in around)
