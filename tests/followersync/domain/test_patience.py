"""How far a miss can be trusted: whoever came back is remembered for a month."""

from __future__ import annotations

from followersync.domain.outlook import Waits, outlook
from followersync.domain.patience import (
    DAY,
    LONGEST_WAIT,
    LOOKS,
    WAIT,
    Patience,
    Reappearance,
    Weather,
    patience_of,
    remember,
)
from followersync.domain.values import LOOKS_APART, Absence

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


def test_the_site_s_weather_makes_every_account_wait() -> None:
    rough = patience_of((), NOW, Weather(seconds=3 * DAY, looks=6))

    assert (rough.seconds, rough.looks) == (6 * DAY, 12)
    assert rough.looks >= LOOKS


def test_each_wait_is_told_with_its_reason_and_its_date() -> None:
    usual = Patience()
    seen = Absence(since=NOW, looks=1, last_at=NOW)
    told = {
        Waits.SECOND_LOOK: Absence(NOW, 1, 1, 1, 1, NOW),
        Waits.COUNT: Absence(NOW, 1, 1, 0, 1, NOW),
        Waits.AT_END: Absence(NOW, 1, 0, 1, 1, NOW),
        Waits.NO_WITNESS: seen,
        Waits.BEYOND: Absence(NOW, 1, last_at=NOW, beyond=True),
    }

    assert {waits: outlook(record, usual).waits for waits, record in told.items()} == {
        waits: waits for waits in told
    }
    assert outlook(told[Waits.SECOND_LOOK], usual).at == NOW + LOOKS_APART
    assert outlook(told[Waits.COUNT], usual).at == NOW + WAIT
    assert outlook(told[Waits.BEYOND], usual).at is None
