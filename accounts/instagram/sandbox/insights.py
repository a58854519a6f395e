"""The sandbox's insights: counts and daily totals, in every documented or seen format."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from accounts.instagram.sandbox.account import DAY, MICROSECONDS, Account
from accounts.instagram.sandbox.envelopes import refusal
from accounts.instagram.sandbox.messages import Request, Response, as_json

# Below this, Instagram has no insights about followers: the data is empty, not zero.
FEWEST_FOLLOWERS: Final = 100
KEPT_DAYS: Final = 90
METRICS: Final = ("follows_and_unfollows", "follower_count", "reach", "follower_demographics")
AGES: Final = ("13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
CITIES: Final = ("Berlin, Berlin", "Hamburg, Hamburg", "Istanbul, Istanbul", "Madrid, Madrid")
COUNTRIES: Final = ("DE", "TR", "ES", "AT", "CH", "US")
GENDERS: Final = ("F", "M", "U")
VALUES: Final = {"age": AGES, "city": CITIES, "country": COUNTRIES, "gender": GENDERS}


def answer(request: Request, account: Account, now: int) -> Response:
    """`since`, `until` in unix seconds; `now` in microseconds. Default: yesterday."""
    metrics = (request.get("metric") or "").split(",")
    if not set(metrics) <= set(METRICS):
        return refusal("100_parameter", f"(#100) metric must be one of: {', '.join(METRICS)}")
    since, until = request.get("since"), request.get("until")
    if not all(value is None or value.isdigit() for value in (since, until)):
        return refusal("100_parameter", "(#100) since and until must be unix timestamps")
    today = now // DAY
    first = int(since) * MICROSECONDS // DAY if since else today - 1
    last = -(-int(until) * MICROSECONDS // DAY) if until else today
    days = range(max(first, today - KEPT_DAYS), min(last, today + 1))
    if account.shown < FEWEST_FOLLOWERS or not days:
        return as_json({"data": []})
    breakdown = request.get("breakdown")
    return as_json({"data": [_metric(name, account, days, breakdown) for name in metrics]})


def _metric(name: str, account: Account, days: range, breakdown: str | None) -> dict[str, Any]:
    if name == "follower_demographics":
        return _demographics(account, (breakdown or "country").split(","))
    if name == "follows_and_unfollows":
        return _follows_and_unfollows(account, days, split=breakdown == "follow_type")
    values = [
        {"value": _gained(account, day) if name == "follower_count" else 500, "end_time": _end(day)}
        for day in days
    ]
    return {
        "name": name,
        "period": "day",
        "values": values,
        "title": name.replace("_", " ").capitalize(),
        "description": f"{name} in this period",
        "id": f"{account.id}/insights/{name}/day",
    }


def _follows_and_unfollows(account: Account, days: range, *, split: bool) -> dict[str, Any]:
    """FOLLOWER = gained, NON_FOLLOWER = lost or left Instagram. A quiet day has no breakdown."""
    gained = sum(_gained(account, day) for day in days)
    lost = sum(account.lost_by_day[day] for day in days)
    metric: dict[str, Any] = {"name": "follows_and_unfollows", "period": "day"}
    if split and (gained or lost):
        metric["title"] = "Follows and unfollows"
        results = [
            {"dimension_values": ["FOLLOWER"], "value": gained},
            {"dimension_values": ["NON_FOLLOWER"], "value": lost},
        ]
        breakdowns = [{"dimension_keys": ["follow_type"], "results": results}]
        metric["total_value"] = {"breakdowns": breakdowns}
    else:
        metric["total_value"] = {"value": gained + lost}
    return metric | {"id": f"{account.id}/insights/follows_and_unfollows/day"}


def _gained(account: Account, day: int) -> int:
    """From the sandbox's own events; before those, from the current followers."""
    counted = account.gained_by_day[day]
    return counted or account.followers.followed_between(day * DAY, (day + 1) * DAY)


def _demographics(account: Account, keys: list[str]) -> dict[str, Any]:
    combinations: list[list[str]] = [[]]
    for key in keys:
        combinations = [[*each, value] for each in combinations for value in VALUES.get(key, ())]
    results = [
        {"dimension_values": values, "value": account.shown // (len(combinations) + place)}
        for place, values in enumerate(combinations[:45], start=1)
    ]
    return {
        "name": "follower_demographics",
        "period": "lifetime",
        "title": "Follower demographics",
        "description": "Who follows this account",
        "total_value": {"breakdowns": [{"dimension_keys": keys, "results": results}]},
        "id": f"{account.id}/insights/follower_demographics/lifetime",
    }


def _end(day: int) -> str:
    """Instagram's days end at 07:00 UTC, midnight in California in summer."""
    moment = datetime.fromtimestamp((day + 1) * 86_400 + 7 * 3600, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S+0000")
