"""How far a miss can be trusted: whoever came back is remembered for a month."""

from __future__ import annotations

from followersync.domain.patience import (
    DAY,
    LONGEST_WAIT,
    WAIT,
    Patience,
    Reappearance,
    patience_of,
    remember,
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
    assert (doubtful.looks_long, doubtful.seconds_long) == (13, 13 * DAY)
