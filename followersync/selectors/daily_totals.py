"""Daily totals from Instagram beside the counts of our own lists; an unknown day is a gap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from followersync import store
from followersync.models import Demographics

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
    begin = datetime.combine(date_from, time.min, UTC)
    end = datetime.combine(date_to, time.min, UTC) + timedelta(days=1)
    return [DailyPoint(*row) for row in store.daily_totals(account.pk, begin, end)]


def demographics(account: LinkedAccount) -> dict[str, list[Group]]:
    """The newest answer about each breakdown, most followers first; {} where there is none."""
    rows = Demographics.objects.filter(account_id=account.pk)
    return {
        breakdown: [Group(tuple(values), followers) for values, followers in found]
        for breakdown, found in rows.values_list("breakdown", "values")
    }
