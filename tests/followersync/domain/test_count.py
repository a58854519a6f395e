"""The count as a check: it may hold a loss back, and must never hide somebody withheld."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain.count import (
    DAY,
    FORGIVEN_AFTER,
    LIVE_FOR,
    Ledger,
    all_left,
    explains,
    is_balanced,
    is_exact,
    is_short,
    moves,
    settle,
    shows_all,
)

T = 1_000 * DAY
HOUR = 3_600
FIRST = settle(Ledger(), reported=203, shown=203, absent=0, fresh=0, at=T - 300)
START = settle(FIRST, reported=203, shown=203, absent=0, fresh=0, at=T)


def after(ledger: Ledger, hours: int = 6, **figures: int) -> Ledger:
    return settle(ledger, at=T + hours * 3_600, **figures)


def test_who_left_is_gone_from_both() -> None:
    ledger = after(START, reported=202, shown=202, absent=1, fresh=1)

    assert (ledger.unexplained, ledger.fresh_explained) == (0, True)
    assert explains(ledger, at=T)


def test_who_is_withheld_is_gone_from_the_list_alone() -> None:
    ledger = after(START, reported=203, shown=202, absent=1, fresh=1)

    assert (ledger.unexplained, ledger.fresh_explained) == (1, False)
    assert not explains(ledger, at=T)


def test_newcomers_hide_nobody_who_is_withheld() -> None:
    came = replace(START, gained=5)
    ledger = after(came, reported=208, shown=203, absent=5, fresh=5)

    assert ledger.unexplained == 5


def test_nor_do_people_found_who_were_counted_all_along() -> None:
    found = replace(START, found=3)
    ledger = after(found, reported=203, shown=203, absent=3, fresh=3)

    assert ledger.unexplained == 3


def test_somebody_who_had_left_and_follows_again_raised_the_count() -> None:
    back = replace(START, gained=1)
    ledger = after(back, reported=203, shown=203, absent=1, fresh=1)

    assert (ledger.unexplained, ledger.fresh_explained) == (0, True)


def test_who_is_found_explains_a_count_that_rose_by_more_than_came() -> None:
    """Else whoever was counted for the first time when they were found would be owed for ever."""
    found = replace(START, found=3)

    assert after(found, reported=206, shown=206, absent=0, fresh=0).unexplained == 0


def test_who_came_and_left_between_two_looks_hides_nobody() -> None:
    both = replace(START, gained=1)
    left = after(both, reported=203, shown=203, absent=1, fresh=1)
    withheld = after(both, reported=204, shown=203, absent=1, fresh=1)

    assert explains(left, at=T)
    assert not explains(withheld, at=T)


def test_a_count_that_was_never_compared_says_nothing() -> None:
    assert not explains(Ledger(), at=T)


def test_what_was_forgiven_is_forgiven_no_sooner() -> None:
    more = after(START, reported=206, shown=203, absent=0, fresh=0)
    almost = FORGIVEN_AFTER // 3_600 + 6 - 1

    assert after(more, almost, reported=206, shown=203, absent=0, fresh=0).unexplained == 3


def test_of_those_missing_others_may_be_explained() -> None:
    first = after(START, reported=203, shown=202, absent=1, fresh=1)
    second = after(first, 12, reported=201, shown=200, absent=3, fresh=2)

    assert (second.unexplained, second.fresh_explained) == (1, True)
    assert explains(second, others=1, at=T)
    assert not explains(second, at=T)


def test_a_count_that_comes_down_late_is_no_witness_for_a_month() -> None:
    ledger = START
    for looks in range(1, 4):
        ledger = after(ledger, 6 * looks, reported=203, shown=202, absent=1, fresh=looks == 1)
    late = after(ledger, 30, reported=202, shown=202, absent=1, fresh=0)

    assert late.unexplained == 0
    assert not explains(late, at=T + 2 * DAY)
    assert explains(late, at=T + 40 * DAY)


def test_a_list_that_shows_more_than_are_counted_shows_people_who_left() -> None:
    ledger = after(START, reported=200, shown=203, absent=0, fresh=0)

    assert ledger.stale
    assert not explains(ledger, at=T)


def test_who_was_lost_by_waiting_is_not_owed_for_ever() -> None:
    withheld = after(START, reported=203, shown=202, absent=1, fresh=1)
    waited = replace(withheld, waited=1)

    assert after(waited, 12, reported=203, shown=202, absent=0, fresh=0).unexplained == 0


def test_a_count_that_has_told_of_more_for_days_is_the_usual_excess() -> None:
    more = after(START, reported=206, shown=203, absent=0, fresh=0)
    assert more.unexplained == 3

    hours = FORGIVEN_AFTER // 3_600 + 6
    assert after(more, hours, reported=206, shown=203, absent=0, fresh=0).unexplained == 0


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [(203, 203, False), (203, 202, True), (253, 250, False), (251, 250, True), (260, 250, False)],
)
def test_a_rounded_step_is_no_movement(before: int, now: int, moved: bool) -> None:
    assert moves(before, now) is moved


@pytest.mark.parametrize(
    ("reported", "shown", "short"),
    [(None, 0, False), (2, 0, False), (3, 0, True), (100, 95, False), (100, 94, True)],
)
def test_a_list_is_short_of_more_than_two_and_a_twentieth(reported, shown, short) -> None:
    assert is_short(reported, shown) is short


def test_round_numbers_are_not_exact() -> None:
    assert [is_exact(each) for each in (None, 0, 7, 10, 101)] == [False, False, True, False, True]


def test_a_short_list_explains_nobody() -> None:
    short = after(START, reported=202, shown=150, absent=1, fresh=1)

    assert not explains(short, at=T)


def test_a_list_shows_all_while_it_shows_as_many_as_ever() -> None:
    assert shows_all(START, shown=203, at=T)
    assert not shows_all(START, shown=202, at=T)
    assert not shows_all(START, shown=203, at=T + 4 * DAY), "the count has stood still for days"


@pytest.mark.parametrize(("reported", "shown", "whole"), [(250, 250, False), (250, 260, True)])
def test_a_rounded_count_must_leave_room_for_its_rounding(
    reported: int, shown: int, whole: bool
) -> None:
    rounded = replace(START, reported=reported, excess=reported - shown)

    assert shows_all(rounded, shown=shown, at=T) is whole


@given(before=st.integers(0, 5_000), now=st.integers(0, 5_000))
def test_a_count_moves_only_where_it_changed_and_rounding_does_not_explain_it(
    before: int, now: int
) -> None:
    if moves(before, now):
        assert before != now
        assert is_exact(now) or abs(now - before) < 3


@given(reported=st.integers(0, 100_000), shown=st.integers(0, 100_000))
def test_a_list_that_shows_as_many_as_are_counted_is_never_short(reported: int, shown: int) -> None:
    if shown >= reported:
        assert not is_short(reported, shown)
    assert is_short(reported, shown) is (reported - shown > max(2, reported // 20))


@given(
    rounds=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12
    )
)
def test_with_an_exact_count_everybody_withheld_is_unexplained(
    rounds: list[tuple[int, int, int]],
) -> None:
    """Of each round so many come, so many leave, and so many are withheld from then on."""
    ledger, following, withheld, gone = START, 203, 0, 0
    for number, (come, leave, hide) in enumerate(rounds, start=1):
        following += come - leave
        withheld += hide
        gone += leave
        ledger = settle(
            replace(ledger, gained=come),
            reported=following,
            shown=following - withheld,
            absent=gone + withheld,
            fresh=leave + hide,
            at=T + number * 21_600,
        )

        quiet = withheld == 0 and not is_short(following, following - withheld)
        assert explains(ledger, at=ledger.moved_at) is quiet

    assert ledger.unexplained == withheld


@given(
    rounds=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=10
    )
)
def test_who_comes_back_from_being_withheld_is_owed_no_longer(
    rounds: list[tuple[int, int, int]],
) -> None:
    """Of each round so many leave, so many are withheld, and so many of these are shown again."""
    ledger, following, withheld, gone = START, 203, 0, 0
    for number, (leave, hide, show) in enumerate(rounds, start=1):
        following -= leave
        gone += leave
        withheld += hide - min(show, withheld)
        ledger = settle(
            ledger,
            reported=following,
            shown=following - withheld,
            absent=gone + withheld,
            fresh=leave + hide,
            at=T + number * 21_600,
        )

        assert ledger.unexplained == withheld


def test_a_newcomer_between_the_count_and_the_list_leaves_nobody_unexplained() -> None:
    """Else everybody who leaves later waits for days, for the sake of somebody who is there."""
    came = after(START, reported=203, shown=204, absent=0, fresh=0)
    told = after(came, hours=12, reported=204, shown=204, absent=0, fresh=0)

    assert (came.unexplained, told.unexplained, told.dip) == (0, 0, 0)


def test_a_newcomer_while_the_first_list_was_read_is_no_usual_excess() -> None:
    first = settle(Ledger(), reported=202, shown=203, absent=0, fresh=0, at=T - 300)
    second = settle(first, reported=203, shown=203, absent=0, fresh=0, at=T)

    assert second.unexplained == 0


def test_a_count_below_the_list_for_half_a_day_is_believed() -> None:
    """Somebody counted was deleted; whoever is withheld afterwards is unexplained again."""
    once = after(START, reported=202, shown=203, absent=0, fresh=0)
    twice = after(once, hours=18, reported=202, shown=203, absent=0, fresh=0)
    withheld = after(twice, hours=24, reported=202, shown=202, absent=1, fresh=1)

    assert (once.dip, twice.dip, withheld.unexplained) == (1, 0, 1)


def test_a_count_that_tells_of_nobody_else_shows_that_all_who_are_missing_have_left() -> None:
    late = after(START, reported=203, shown=202, absent=1, fresh=1)
    down = after(late, hours=12, reported=202, shown=202, absent=1, fresh=0)

    assert (late.fresh_explained, all_left(late, shown=202, at=T + 6 * HOUR)) == (False, False)
    assert all_left(down, shown=202, at=T + 12 * HOUR)


@pytest.mark.parametrize(
    ("reported", "at"), [(200, T + 12 * HOUR), (202, T + 12 * HOUR + LIVE_FOR + 1)]
)
def test_a_rounded_or_old_count_shows_nothing(reported: int, at: int) -> None:
    ledger = after(START, hours=12, reported=reported, shown=reported, absent=1, fresh=1)

    assert not all_left(ledger, shown=reported, at=at)


def test_a_hole_of_five_is_more_than_the_noise_of_a_list_of_any_length() -> None:
    for shown in (203, 20_003, 40_003):
        first = settle(Ledger(), reported=shown, shown=shown, absent=0, fresh=0, at=T - 300)
        start = settle(first, reported=shown, shown=shown, absent=0, fresh=0, at=T)
        hole = after(start, reported=shown, shown=shown - 5, absent=5, fresh=5)

        assert not all_left(hole, shown=shown - 5, at=T)
        assert is_balanced(hole, shown=shown - 5, now=shown) is (shown >= 10_000)
