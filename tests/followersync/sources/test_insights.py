"""What Instagram says of a day, and what it does not say, which is never 0."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from accounts.instagram import schemas
from accounts.instagram.usage import UNKNOWN
from followersync.sources.insights import DayTotals, Share, day_totals, days_to_read, shares

TODAY = date(2026, 8, 11)


def answer(*metrics: dict) -> schemas.Insights:
    return schemas.insights(json.dumps({"data": list(metrics)}).encode(), UNKNOWN)


def follows(total: int | None = None, **parts: int) -> dict:
    value: dict = {} if total is None else {"value": total}
    if parts:
        results = [{"dimension_values": [k], "value": v} for k, v in parts.items()]
        value["breakdowns"] = [{"dimension_keys": ["follow_type"], "results": results}]
    return {"name": "follows_and_unfollows", "period": "day", "total_value": value}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (answer(follows(FOLLOWER=12, NON_FOLLOWER=5)), DayTotals(12, 5)),
        (answer(follows(17, FOLLOWER=12, NON_FOLLOWER=5)), DayTotals(12, 5)),
        (answer(follows(0)), DayTotals(0, 0)),
        (answer(), DayTotals(None, None)),
        (answer(follows(7)), DayTotals(None, None)),
        (answer(follows(FOLLOWER=12)), DayTotals(12, None)),
        (answer(follows(12, FOLLOWER=12)), DayTotals(12, 0)),
        (answer(follows(NON_FOLLOWER=3)), DayTotals(None, 3)),
        (answer({"name": "reach", "period": "day", "values": []}), DayTotals(None, None)),
    ],
)
def test_a_day_says_what_it_says_and_nothing_else(said, meant):
    assert day_totals(said) == meant


def test_demographics_are_read_most_followers_first_and_missing_ones_are_none():
    results = [
        {"dimension_values": ["18-24", "F"], "value": 10},
        {"dimension_values": ["25-34", "M"], "value": 19},
    ]
    breakdowns = [{"dimension_keys": ["age", "gender"], "results": results}]
    metric = {
        "name": "follower_demographics",
        "period": "lifetime",
        "total_value": {"breakdowns": breakdowns},
    }

    assert shares(answer(metric)) == [Share(("25-34", "M"), 19), Share(("18-24", "F"), 10)]
    assert shares(answer()) == []


def test_new_days_are_asked_again_and_the_past_once_as_far_as_it_goes():
    recent = [TODAY - timedelta(days=n) for n in (1, 2, 3)]

    first = days_to_read(TODAY, set(), None, most=10)
    later = days_to_read(TODAY, set(first), min(first), most=10)
    whole = days_to_read(TODAY, set(), None, most=1000)
    done = days_to_read(TODAY, set(whole), min(whole), most=1000)

    assert first[:3] == later[:3] == done == recent
    assert first[3:] == [TODAY - timedelta(days=n) for n in range(4, 11)]
    assert later[3:] == [TODAY - timedelta(days=n) for n in range(11, 18)]
    assert len(whole) == 90


def test_a_day_that_had_no_data_is_not_asked_again_and_again():
    tried = TODAY - timedelta(days=90)

    assert len(days_to_read(TODAY, set(), tried, most=1000)) == 3
