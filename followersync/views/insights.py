"""Insights on the account's page: Instagram's daily figures, reconciled with the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import dropwhile

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import clock
from accounts.models import LinkedAccount
from followersync.models import InsightsReading
from followersync.selectors.daily_totals import DailyPoint, Group, daily_totals, demographics
from followersync.texts.errors import in_words
from followersync.texts.formats import number
from followersync.views import bars

SHOWN_DAYS = 60
SHOWN_GROUPS = 5
TITLES = {
    "age,gender": gettext_lazy("Age and gender"),
    "country": gettext_lazy("Country"),
    "city": gettext_lazy("City"),
}


@dataclass(frozen=True)
class Insights:
    """`days` newest first, for the table; `problem` is "" where all is well."""

    bars: bars.Bars | None
    days: list[DailyPoint]
    gained: int
    lost: int
    reconciled: str
    groups: list[tuple[str, list[Group]]]
    problem: str


def insights_of(account: LinkedAccount, *, allowed: bool) -> Insights | None:
    """None without the member's consent to insights (`allowed`)."""
    if not account.is_proven or not allowed:
        return None
    today = clock.now().astimezone(UTC).date()
    found = daily_totals(account, date_from=today - timedelta(days=SHOWN_DAYS), date_to=today)
    # The days before the first figure are no gap: they were not read yet.
    days = list(dropwhile(_unknown, found))
    return Insights(
        bars=bars.draw(days),
        days=days[::-1],
        gained=sum(day.gained or 0 for day in days),
        lost=sum(day.lost or 0 for day in days),
        reconciled=_reconciled(days),
        groups=_groups(account),
        problem=_problem(account),
    )


def _unknown(day: DailyPoint) -> bool:
    return day.gained is None and day.lost is None and day.followers is None


def _reconciled(days: list[DailyPoint]) -> str:
    """The newest day with both figures: what Instagram counts and what is listed."""
    for day in reversed(days):
        if day.difference is None or day.followers is None or day.listed is None:
            continue
        counts = {"count": number(day.followers), "listed": number(day.listed)}
        if day.difference == 0:
            return _("Instagram counts %(count)s, and the list holds as many.") % counts
        if day.difference > 0:
            return _(
                "Instagram counts %(count)s, the list holds %(listed)s: its count also holds "
                "people whom no list shows, deactivated ones for instance."
            ) % {**counts}
        return _(
            "Instagram counts %(count)s, the list holds %(listed)s: its count runs ahead, or some "
            "of the listed have left and that is not proven yet."
        ) % {**counts}
    return ""


def _groups(account: LinkedAccount) -> list[tuple[str, list[Group]]]:
    found = demographics(account)
    return [
        (str(title), found[name][:SHOWN_GROUPS])
        for name, title in TITLES.items()
        if found.get(name)
    ]


def _problem(account: LinkedAccount) -> str:
    readings = InsightsReading.objects.filter(pk=account.pk)
    code = readings.values_list("error_code", flat=True).first()
    return in_words(code) if code else ""
