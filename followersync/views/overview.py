"""Account pages: the list of accounts, and one account's overview with charts and history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts import clock
from accounts.models import LinkedAccount
from accounts.selectors import accounts_of, needs_recovery_contact
from accounts.views.base import MemberRequest, own_account, page
from accounts.views.settings import offered_zone
from followersync import selectors
from followersync.selectors import Overview
from followersync.selectors.unconfirmed import unconfirmed
from followersync.services.imports import questions
from followersync.texts.evidence import doubt_in_words, in_words
from followersync.views import runs
from followersync.views.chart import Point, draw
from followersync.views.headline import can_be_listed, headline_of
from followersync.views.insights import insights_of

SHOWN_CHANGES = 8
YEAR = timedelta(days=365)


@page
def accounts(request: MemberRequest) -> HttpResponse:
    seen = [(each, selectors.overview(each)) for each in accounts_of(request.user)]
    context = {
        "rows": [{"account": each, "headline": headline_of(each, now)} for each, now in seen],
        "syncing": any(now.running for _each, now in seen),
        "reminder": needs_recovery_contact(request.user),
    }
    return render(request, "followersync/accounts.html", context)


@page
def account(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    now = selectors.overview(account)
    context = {
        **live(account, now),
        **history(account, now),
        "offered_zone": offered_zone(request),
    }
    return render(request, "followersync/account.html", context)


@page
def progress(request: MemberRequest, account_id: int) -> HttpResponse:
    """What changes while a run is open. The fragment reloads itself until the run has ended."""
    account = own_account(request, account_id)
    now = selectors.overview(account)
    context = live(account, now)
    if now.running is None:
        context |= history(account, now) | {"ended": True}
    return render(request, "followersync/live.html", context)


@page
def figures(request: MemberRequest, account_id: int, table: str) -> HttpResponse:
    """The data of a chart as a table, loaded on demand: hundreds of rows."""
    account = own_account(request, account_id)
    context: dict[str, Any] = {"account": account, "table": f"followersync/table_{table}.html"}
    now = selectors.overview(account)
    if table == "growth":
        points, expected = _points(account, now)
        context |= {"chart": draw(points, expected=expected), "points": points[::-1]}
    else:
        context["insights"] = insights_of(account, allowed=now.shows_insights)
    whole = "HX-Request" not in request.headers
    template = "followersync/figures.html" if whole else context["table"]
    return render(request, template, context)


def live(account: LinkedAccount, overview: Overview) -> dict[str, Any]:
    return {
        "account": account,
        "overview": overview,
        "headline": headline_of(account, overview),
        "questions": questions.open_questions(account),
        "doubts": _doubts(account) if overview.unconfirmed else None,
        "can_be_listed": can_be_listed(account),
    }


def _doubts(account: LinkedAccount) -> dict[str, Any]:
    doubts = unconfirmed(account)
    people = [(person, doubt_in_words(person)) for person in doubts.people]
    return {
        "people": people,
        "shows_newest": doubts.shows_newest,
        "lately_missed_days": doubts.lately_missed_days,
        "site_missed_days": doubts.site_missed_days,
    }


def history(account: LinkedAccount, overview: Overview) -> dict[str, Any]:
    snapshot = selectors.newest_snapshot(account)
    points, expected = _points(account, overview)
    return {
        "chart": draw(points, expected=expected),
        "insights": insights_of(account, allowed=overview.shows_insights),
        "changes": selectors.latest_changes(account, count=SHOWN_CHANGES),
        "runs": runs.with_words(overview.newest_runs),
        "evidence": in_words(snapshot) if snapshot else [],
    }


def _points(account: LinkedAccount, overview: Overview) -> tuple[list[Point], timedelta]:
    """Every look of a young account, one point a day of an older one, and their usual distance."""
    today = clock.now().date()
    points = selectors.daily_counts(
        account, date_from=today - YEAR, date_to=today, shows_count=overview.shows_count
    )
    interval = timedelta(minutes=overview.interval_minutes)
    if points and points[0].at.date() > today - timedelta(days=3):
        newest = selectors.looks(account, newest=500, shows_count=overview.shows_count)
        return list(newest), interval
    return list(points), max(interval, timedelta(days=1))
