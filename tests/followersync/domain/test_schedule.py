"""When to sync next: too late and members see old lists, too early and the budget is gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain import schedule

NOW = 1_700_000_000
HOUR = 3_600


def due_in(**changes: object) -> int:
    values: dict[str, object] = {
        "now": NOW,
        "interval_minutes": 360,
        "changes_per_day": 0.0,
        "failures": 0,
        "not_before": None,
        "second_look_in": None,
        "full_scan_open": False,
        "jitter": 0.0,
    }
    return schedule.next_due(**(values | changes)) - NOW  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 6 * HOUR),
        ({"jitter": 1.0}, round(5.4 * HOUR)),
        ({"changes_per_day": 1_000.0}, round(1.5 * HOUR)),
        ({"changes_per_day": 8.0}, 3 * HOUR),
        ({"second_look_in": 300}, 300),
        ({"full_scan_open": True}, HOUR),
        ({"failures": 1}, 30),
        ({"failures": 3, "jitter": 1.0}, 240),
        ({"failures": 99, "jitter": 1.0}, 6 * HOUR),
        ({"second_look_in": 300, "not_before": NOW + HOUR}, HOUR),
    ],
)
def test_the_next_sync_is_due(changes: dict[str, object], seconds: int) -> None:
    assert due_in(**changes) == seconds


@given(
    minutes=st.integers(15, 10_080),
    rate=st.floats(0, 1e6),
    failures=st.integers(0, 50),
    jitter=st.floats(0, 1),
    full_scan=st.booleans(),
)
def test_an_account_is_never_due_in_the_past_nor_later_than_the_member_wants(
    minutes: int, rate: float, failures: int, jitter: float, *, full_scan: bool
) -> None:
    seconds = due_in(
        interval_minutes=minutes,
        changes_per_day=rate,
        failures=failures,
        jitter=jitter,
        full_scan_open=full_scan,
    )

    assert 0 < seconds <= max(minutes * 60, 6 * HOUR)


@pytest.mark.parametrize(
    ("percent", "regain", "seconds"),
    [(20.0, None, 0), (99.9, None, 0), (100.0, None, HOUR), (20.0, 19, 1_140)],
)
def test_a_full_rate_limit_is_waited_for(percent: float, regain: int | None, seconds: int) -> None:
    assert schedule.wait_for_usage(percent, regain) == seconds


@pytest.mark.parametrize(
    ("percent", "calls"), [(0.0, 200), (50.0, 100), (75.0, 50), (85.0, 15), (95.0, 0), (120.0, 0)]
)
def test_fewer_calls_are_spent_as_the_limit_comes_near(percent: float, calls: int) -> None:
    assert schedule.calls_allowed(percent, 200) == calls


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_a_passing_fault_is_tried_again_within_seconds_and_an_outage_is_waited_out(
    jitter: float,
) -> None:
    pauses = [schedule.retry_pause(attempt, jitter) for attempt in range(1, 8)]

    assert 1 <= pauses[0] <= 2
    assert sum(pauses[:5]) <= 60
    assert pauses[-1] >= HOUR / 4
    assert pauses == sorted(pauses)
