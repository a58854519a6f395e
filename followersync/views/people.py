"""Pages of followers, past lists and changes."""

from __future__ import annotations

from datetime import datetime, time

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from accounts.errors import InvalidInput
from accounts.models import LinkedAccount
from accounts.views.base import MemberRequest, own_account, page
from followersync import selectors
from followersync.models import ChangeKind
from followersync.selectors import ChangeRow
from followersync.selectors.loss_evidence import loss_evidence
from followersync.texts.evidence import loss_in_words

PER_PAGE = 50


@page
def followers(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    query, at = request.GET.get("q", "").strip(), request.GET.get("at", "")
    moment = _end_of(at)
    if at and moment is None:
        messages.error(
            request, _("That is not a day, so today's list is shown. Write it as 2026-05-31.")
        )
    try:
        found = selectors.followers_page(
            account, q=query, at=moment, cursor=request.GET.get("cursor"), limit=PER_PAGE
        )
    except InvalidInput as error:
        messages.error(request, str(error.detail))
        return redirect("account-followers", account.pk)
    overview = selectors.overview(account)
    context = {
        "account": account,
        "page": found,
        "overview": overview,
        "q": query,
        "at": at if moment else "",
    }
    template = "people" if request.headers.get("HX-Target") == "people" else "followers"
    return render(request, f"followersync/{template}.html", context)


@page
def changes(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    kind = request.GET.get("kind", "")
    before = request.GET.get("before", "")
    if kind not in ChangeKind.values:
        kind = ""
    found = selectors.changes_page(
        account,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
        kind=kind or None,
        limit=PER_PAGE,
    )
    context = {
        "account": account,
        "page": found,
        "entries": _with_evidence(account, found.rows),
        "kind": kind,
        "overview": selectors.overview(account),
    }
    return render(request, "followersync/changes.html", context)


def _with_evidence(
    account: LinkedAccount, rows: list[ChangeRow]
) -> list[tuple[ChangeRow, list[str]]]:
    """Each change with the sentences about its evidence, if any."""
    proved = loss_evidence(account, rows)
    return [
        (row, loss_in_words(proved[row.position]) if row.position in proved else []) for row in rows
    ]


def _end_of(text: str) -> datetime | None:
    """The last moment of a day in the member's zone; None for an invalid day."""
    try:
        day = parse_date(text)
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None
    except (ValueError, OverflowError):
        return None
