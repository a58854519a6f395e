"""How far a miss can be trusted: whoever came back is remembered for a month."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain.patience import (
    DAY,
    LONGEST_WAIT,
    SITE_REMEMBERED,
    WAIT,
    Patience,
    Reappearance,
    common_reappearance,
    patience_of,
    remember,
    remembered_site_reappearance,
)

NOW = 1_000 * DAY


def test_where_nobody_came_back_the_usual_waits_hold() -> None:
    assert patience_of((), NOW) == Patience()


def test_twice_as_long_as_the_longest_absence_that_was_none() -> None:
    came_back = (Reappearance(NOW - DAY, 5 * DAY // 2, 9),)
    patience = patience_of(came_back, NOW)

    assert (patience.seconds, patience.looks) == (5 * DAY, 16)
    assert patience.looks_counted > Patience().looks_counted
    assert patience_of((Reappearance(NOW, 30 * DAY, 2),), NOW).seconds == LONGEST_WAIT
    assert patience_of((Reappearance(NOW, 60, 1),), NOW).seconds == WAIT


def test_after_a_month_it_is_forgotten() -> None:
    assert patience_of((Reappearance(NOW - 31 * DAY, 3 * DAY, 12),), NOW) == Patience()


def test_only_what_outlasts_the_newest_is_kept() -> None:
    kept = ()
    for seconds, looks in ((3 * DAY, 2), (DAY, 9), (DAY, 3), (2 * DAY, 4)):
        kept = remember(kept, Reappearance(NOW, seconds, looks))

    assert {(each.seconds, each.looks) for each in kept} == {
        (3 * DAY, 2),
        (DAY, 9),
        (2 * DAY, 4),
    }


def test_where_people_came_back_every_rule_takes_longer() -> None:
    doubtful = patience_of((Reappearance(NOW - DAY, 3 * DAY, 2),), NOW)

    assert (doubtful.looks_counted, doubtful.seconds_counted) == (4, 4 * DAY)


def test_what_many_accounts_saw_at_one_time_makes_every_account_wait_longer() -> None:
    """One fault of Instagram's hits many: where people are still missing it is not over."""
    told = common_reappearance([3 * DAY, 2 * DAY, DAY, 60], [9, 5, 4, 1], synced=30, at=NOW)

    assert told == Reappearance(NOW, DAY, 4)
    assert patience_of(remembered_site_reappearance(told, NOW + DAY), NOW + DAY).looks_counted == 4


@pytest.mark.parametrize(
    ("accounts", "synced", "many"), [(2, 5, False), (3, 30, True), (3, 31, False), (40, 400, True)]
)
def test_a_few_accounts_are_no_fault_of_instagram(
    accounts: int, synced: int, *, many: bool
) -> None:
    told = common_reappearance([DAY] * accounts, [2] * accounts, synced=synced, at=NOW)

    assert (told is not None) is many


def test_after_two_days_the_other_accounts_are_forgotten() -> None:
    told = Reappearance(NOW, DAY, 2)

    assert remembered_site_reappearance(told, NOW + SITE_REMEMBERED) == (told,)
    assert remembered_site_reappearance(told, NOW + SITE_REMEMBERED + 1) == ()
    assert remembered_site_reappearance(None, NOW) == ()


@given(
    own=st.lists(st.tuples(st.integers(0, 9 * DAY), st.integers(0, 20)), max_size=3),
    site=st.tuples(st.integers(0, 9 * DAY), st.integers(0, 20)),
)
def test_other_accounts_never_make_anybody_wait_less(
    own: list[tuple[int, int]], site: tuple[int, int]
) -> None:
    mine = tuple(Reappearance(NOW, *one) for one in own)
    alone, told = patience_of(mine, NOW), patience_of((*mine, Reappearance(NOW, *site)), NOW)

    assert all(getattr(told, name) >= getattr(alone, name) for name in Patience.__slots__)
