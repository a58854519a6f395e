"""Daily totals from Instagram beside the counts of our own lists; an unknown day is a gap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from followersync import store
from followersync.models import DailyTotal, Demographics

if TYPE_CHECKING:
    from accounts.models import LinkedAccount


@dataclass(frozen=True, slots=True)
class DailyPoint:
    """One UTC day. None means unknown, never 0.

    `gained`, `lost`, `followers`: Instagram's. `listed`: the length of our list at the day's end.
    `difference`: followers whom Instagram counts and no list shows (mostly deactivated people).
    """

    day: date
    gained: int | None
    lost: int | None
    followers: int | None
    listed: int | None

    @property
    def difference(self) -> int | None:
        if self.followers is None or self.listed is None:
            return None
        return self.followers - self.listed


@dataclass(frozen=True, slots=True)
class Group:
    """One value of a breakdown, such as ("18-24", "F"), and how many followers it has."""

    values: tuple[str, ...]
    followers: int


def daily_totals(account: LinkedAccount, *, date_from: date, date_to: date) -> list[DailyPoint]:
    """A point for every day in [date_from, date_to], oldest first, known or not."""
    rows = DailyTotal.objects.filter(account=account, day__range=(date_from, date_to))
    said = {row[0]: row[1:] for row in rows.values_list("day", "gained", "lost", "followers")}
    listed = _listed(account, date_from, date_to)
    days = (date_to - date_from).days + 1
    return [
        DailyPoint(day, *said.get(day, (None, None, None)), listed.get(day))
        for day in (date_from + timedelta(days=n) for n in range(days))
    ]


def demographics(account: LinkedAccount) -> dict[str, list[Group]]:
    """The newest answer about each breakdown, most followers first; {} where there is none."""
    return {
        row.breakdown: [Group(tuple(values), followers) for values, followers in row.values]
        for row in Demographics.objects.filter(account=account)
    }


def _listed(account: LinkedAccount, date_from: date, date_to: date) -> dict[date, int]:
    """The list's length at the end of each day on which a list was read, if it was whole."""
    begin = datetime.combine(date_from, datetime.min.time(), UTC)
    end = datetime.combine(date_to, datetime.min.time(), UTC) + timedelta(days=1)
    rows = store.last_of_each_day(account.pk, begin, end, whole=True)
    return {
        at.astimezone(UTC).date(): followers
        for at, followers, _reported in rows
        if followers is not None
    }
