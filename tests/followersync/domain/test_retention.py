"""Old snapshots are thinned, never the first nor the newest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from followersync.domain.retention import DAY, feed_horizon, snapshots_to_drop

NOW = 20_000 * DAY


def test_the_last_month_is_kept_whole() -> None:
    assert snapshots_to_drop([NOW - hours * 3_600 for hours in range(700, 0, -6)], NOW) == []


def test_of_an_older_day_the_first_snapshot_stays() -> None:
    day = NOW - 100 * DAY

    assert snapshots_to_drop([day, day + 60, day + 7_200, NOW], NOW) == [1, 2]


def test_after_a_year_one_a_week_stays() -> None:
    times = [NOW - 800 * DAY + day * DAY for day in range(70)]

    assert 9 <= len(times) - len(snapshots_to_drop(times, NOW)) <= 12


@given(st.lists(st.integers(NOW - 1_500 * DAY, NOW), unique=True).map(sorted))
def test_the_first_and_the_newest_always_stay_and_thinning_twice_is_thinning_once(
    times: list[int],
) -> None:
    drop = set(snapshots_to_drop(times, NOW))
    left = [at for index, at in enumerate(times) if index not in drop]

    assert not times or {0, len(times) - 1}.isdisjoint(drop)
    assert snapshots_to_drop(left, NOW) == []


def test_the_feed_reaches_back_as_many_days_as_the_operator_says() -> None:
    assert feed_horizon(NOW, 90) == NOW - 90 * DAY
