"""A drawing that joins what it did not see would tell of a history that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from followersync.views.chart import BOTTOM, LEFT, RIGHT, TOP, draw

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Seen:
    at: datetime
    followers: int
    reported: int | None = None


def days(*counts: int | None) -> list[Seen]:
    return [Seen(START + n * DAY, count) for n, count in enumerate(counts) if count is not None]


def test_one_look_is_no_line() -> None:
    assert draw(days(5), expected=DAY) is None


def test_days_without_a_look_are_a_gap() -> None:
    chart = draw(days(10, 11, 12, None, None, None, 15, 16), expected=DAY)

    assert chart is not None
    assert len(chart.lines) == 2
    assert len(chart.gaps) == 1
    assert chart.gaps[0].width > 0


def test_one_missed_day_is_no_gap() -> None:
    chart = draw(days(10, 11, None, 12), expected=DAY)

    assert chart is not None
    assert chart.gaps == []


def test_a_lone_look_between_gaps_is_a_dot() -> None:
    chart = draw(days(10, 11, None, None, None, 12, None, None, None, 13, 14), expected=DAY)

    assert chart is not None
    assert len(chart.dots) == 2
    assert len(chart.lines) == 2


def test_everything_lies_inside_the_box_and_time_runs_to_the_right() -> None:
    chart = draw(days(998, 1003, 1001, 1400), expected=DAY)

    assert chart is not None
    points = [tuple(map(float, pair.split(","))) for pair in chart.lines[0].split()]
    assert points[0][0] == LEFT
    assert points[-1][0] == RIGHT
    assert all(TOP <= y <= BOTTOM for _x, y in points)
    assert [x for x, _y in points] == sorted(x for x, _y in points)


def test_a_list_that_never_changes_is_a_flat_line_and_not_a_crash() -> None:
    chart = draw(days(0, 0, 0), expected=DAY)

    assert chart is not None
    assert chart.low == chart.high == 0


def test_an_unknown_count_of_instagrams_is_left_out_and_not_drawn_as_zero() -> None:
    seen = [Seen(START, 10, 12), Seen(START + DAY, 11, None), Seen(START + 2 * DAY, 12, 14)]

    chart = draw(seen, expected=DAY)

    assert chart is not None
    assert len(chart.reported[0].split()) == 2
    assert chart.ticks[0].value > 0


def test_an_axis_that_does_not_begin_at_zero_has_no_area_to_mislead() -> None:
    cut_off, whole = draw(days(1000, 1003), expected=DAY), draw(days(0, 3), expected=DAY)

    assert cut_off is not None
    assert whole is not None
    assert cut_off.areas == []
    assert len(whole.areas) == 1
