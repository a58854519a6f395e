"""Views that grant and withdraw consent."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import ConsentEvent
from accounts.scopes import Scope
from accounts.services import consent
from accounts.services.quotas import spend
from accounts.views.base import MemberRequest, action, own_account, referring_page


@action
def grant(request: MemberRequest, account_id: int, scope: str) -> HttpResponse:
    account, purpose = own_account(request, account_id), _scope(scope)
    spend(user_id=request.user.pk, name="grant")
    consent.grant(
        account=account,
        scope=purpose,
        text_hash=request.POST.get("text_hash", ""),
        language=get_language() or "en",
        channel=ConsentEvent.Channel.WEB,
        actor=request.user,
    )
    messages.success(request, _("Allowed, and written down in the history below."))
    return redirect(referring_page(request))


@action
def withdraw(request: MemberRequest, account_id: int, scope: str) -> HttpResponse:
    keep_data = request.POST.get("keep_data") == "on"
    consent.withdraw(
        account=own_account(request, account_id),
        scope=_scope(scope),
        channel=ConsentEvent.Channel.WEB,
        actor=request.user,
        keep_data=keep_data,
    )
    messages.success(request, _kept() if keep_data else _erased())
    return redirect(referring_page(request))


def _kept() -> str:
    return _("Withdrawn. From this moment nothing more is read; what was read stays, as you chose.")


def _erased() -> str:
    return _(
        "Withdrawn. From this moment nothing more is read; what it had brought is being erased."
    )


def _scope(name: str) -> Scope:
    try:
        return Scope(name)
    except ValueError as error:
        raise Http404 from error
