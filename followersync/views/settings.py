"""Settings page of one account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings as deployment
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import LinkedAccount
from accounts.selectors import consent_history, consents_in_force, consents_outdated
from accounts.services import consent
from accounts.views.base import MemberRequest, own_account, page
from followersync import selectors
from followersync.forms import FolderForm
from followersync.services.imports import questions
from followersync.texts.watched_folders import folder_status
from followersync.views.headline import can_be_listed

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

INTERVALS = (
    (15, _("every 15 minutes")),
    (60, _("every hour")),
    (360, _("every 6 hours")),
    (720, _("every 12 hours")),
    (1440, _("every day")),
    (10080, _("every week")),
)


@page
def account_settings(request: MemberRequest, account_id: int) -> HttpResponse:
    return settings_page(request, own_account(request, account_id))


def settings_page(
    request: MemberRequest,
    account: LinkedAccount,
    folder_form: FolderForm | None = None,
    status: int = 200,
) -> HttpResponse:
    overview = selectors.overview(account)
    context = {
        "account": account,
        "overview": overview,
        "intervals": _intervals(overview.interval_minutes),
        "scopes": _scopes(account),
        "events": consent_history(account),
        "can_be_listed": can_be_listed(account),
        "questions": questions.open_questions(account),
        "grace_days": deployment.UNLINK_GRACE_DAYS,
        "watched": folder_status(account),
        "drive_offered": bool(deployment.GOOGLE_CLIENT_ID),
        "folder_form": folder_form or FolderForm(),
    }
    return render(request, "followersync/settings.html", context, status=status)


def _intervals(current: int) -> list[dict[str, Any]]:
    offered: dict[int, StrOrPromise] = dict(INTERVALS)
    if current not in offered:
        offered[current] = _("every %(count)s minutes") % {"count": current}
    return [{"minutes": m, "label": offered[m], "current": m == current} for m in sorted(offered)]


def _scopes(account: LinkedAccount) -> list[dict[str, Any]]:
    given, outdated = consents_in_force(account), consents_outdated(account)
    texts = consent.current_texts(get_language() or deployment.LANGUAGE_CODE)
    return [
        {"scope": scope.value, "text": text, "given": scope in given, "outdated": scope in outdated}
        for scope, text in texts.items()
    ]
