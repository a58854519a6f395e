"""Insights source: Instagram's daily totals and demographics.

An answer without data means "unknown" (under 100 followers, or up to 48 hours late), never 0.
https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from accounts.instagram import gateway

if TYPE_CHECKING:
    from accounts.instagram.gateway import Insights, Metric, Usage
    from accounts.models import LinkedAccount

FOLLOWS = "follows_and_unfollows"
DEMOGRAPHICS = "follower_demographics"
BREAKDOWNS = ("age,gender", "country", "city")
# Instagram keeps 90 days, and is up to two days late.
KEPT_DAYS = 90
LATE_DAYS = 2
# That FOLLOWER means gained and NON_FOLLOWER lost is what implementations assume; Meta's documents
# do not state it.
_GAINED, _LOST = "FOLLOWER", "NON_FOLLOWER"


@dataclass(frozen=True, slots=True)
class DayTotals:
    """How many came and left on one day; None where unknown."""

    gained: int | None = None
    lost: int | None = None

    @property
    def known(self) -> bool:
        return self.gained is not None or self.lost is not None


@dataclass(frozen=True, slots=True)
class Share:
    """One value of a breakdown (`18-24`, `F`) and how many followers it has."""

    values: tuple[str, ...]
    followers: int


def day_totals(answer: Insights) -> DayTotals:
    """The totals in the answer about one day."""
    metric = _metric(answer, FOLLOWS)
    if metric is None:
        return DayTotals()
    split = {values: count for each in metric.breakdowns for values, count in each.results}
    if split:
        gained, lost = split.get((_GAINED,)), split.get((_LOST,))
        return DayTotals(*_completed(gained, lost, metric.total))
    # A day without changes has a total of 0 and no breakdown; any other total gives neither part.
    return DayTotals(0, 0) if metric.total == 0 else DayTotals()


def shares(answer: Insights) -> list[Share]:
    """The values of one breakdown, most followers first; empty where Instagram has none."""
    metric = _metric(answer, DEMOGRAPHICS)
    if metric is None:
        return []
    found = [Share(values, count) for each in metric.breakdowns for values, count in each.results]
    return sorted(found, key=lambda share: (-share.followers, share.values))


def days_to_read(
    today: date, known: set[date], oldest_tried: date | None, *, most: int
) -> list[date]:
    """The days to request, newest first: those that may still change, then the backfill.

    `known`: days that have totals. `oldest_tried`: the backfill has reached it. At most `most`.
    """
    recent = [today - timedelta(days=n) for n in range(1, LATE_DAYS + 2)]
    missing = [
        day
        for n in range(LATE_DAYS + 2, KEPT_DAYS + 1)
        if (day := today - timedelta(days=n)) not in known
        and (oldest_tried is None or day < oldest_tried)
    ]
    return (recent + missing)[:most]


class InsightsSource:
    """One account's insights. Each method is one call, made after the gate check."""

    def __init__(
        self,
        account: LinkedAccount,
        token: str,
        note: Callable[[Usage], None] | None = None,
    ) -> None:
        self._instagram_id = account.instagram_id or ""
        self._token = token
        self._gateway = gateway.from_settings()
        self._note = note

    def __repr__(self) -> str:
        return f"InsightsSource({self._instagram_id!r})"

    def day(self, day: date) -> DayTotals:
        """Totals of one UTC day."""
        begin = int(datetime.combine(day, datetime.min.time(), UTC).timestamp())
        parameters = {
            "metric_type": "total_value",
            "breakdown": "follow_type",
            "since": str(begin),
            "until": str(begin + 86_400),
        }
        return day_totals(self._ask(FOLLOWS, "day", parameters))

    def count(self) -> int | None:
        """How many followers the account has now; None where unknown."""
        counted = self._gateway.follower_count(self._token)
        if self._note is not None:
            self._note(counted.usage)
        return counted.followers

    def demographics(self, breakdown: str) -> list[Share]:
        """The followers by one of BREAKDOWNS."""
        parameters = {
            "metric_type": "total_value",
            "breakdown": breakdown,
            "timeframe": "last_90_days",
        }
        return shares(self._ask(DEMOGRAPHICS, "lifetime", parameters))

    def _ask(self, metric: str, period: str, parameters: dict[str, str]) -> Insights:
        answer = self._gateway.insights(
            self._token,
            self._instagram_id,
            metrics=[metric],
            period=period,
            parameters=parameters,
        )
        if self._note is not None:
            self._note(answer.usage)
        return answer


def _metric(answer: Insights, name: str) -> Metric | None:
    return next((each for each in answer.metrics if each.name == name), None)


def _completed(
    gained: int | None, lost: int | None, total: int | None
) -> tuple[int | None, int | None]:
    """A missing part is 0 only where the total is explained by the other."""
    if gained is None and lost is not None and total == lost:
        return 0, lost
    if lost is None and gained is not None and total == gained:
        return gained, 0
    return gained, lost
