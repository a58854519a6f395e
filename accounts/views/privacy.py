"""Privacy policy with the rules in force, and privacy requests of non-members."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import ThreadsiteError
from accounts.forms import PrivacyRequestForm
from accounts.instagram.reauthentication import recently_authenticated, redirect_to_reauthentication
from accounts.models import LinkedAccount, PrivacyRequest, User
from accounts.scopes import Scope
from accounts.selectors import accounts_of
from accounts.selectors.privacy import retention_rules
from accounts.services import consent, suppression
from accounts.services.quotas import QuotaUsedUp, spend_of_visitor
from accounts.views.base import MemberRequest, action, own_account
from accounts.views.operator import operator
from accounts.views.visitors import mark_of, set_retry_after


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def privacy(request: HttpRequest) -> HttpResponse:
    form = PrivacyRequestForm(request.POST or None)
    if request.method != "POST":
        return _page(request, {"form": form})
    if not form.is_valid():
        return _page(request, {"form": form}, status=422)
    try:
        received = _received(request, form.cleaned_data)
    except QuotaUsedUp as error:
        form.add_error(None, _too_many())
        return set_retry_after(_page(request, {"form": form}, status=429), error)
    except ThreadsiteError as error:
        form.add_error(None, str(error.detail))
        return _page(request, {"form": form}, status=422)
    return _page(request, {"received": received})


@transaction.atomic
def _received(request: HttpRequest, given: dict[str, str]) -> PrivacyRequest:
    """Limited per network and per reply address, since staff must answer each request."""
    spend_of_visitor(mark=mark_of(request), name="privacy_from_address")
    spend_of_visitor(mark=given["contact"].strip().lower(), name="privacy_for_contact")
    return suppression.request_privacy(**given, language=_language())


def _too_many() -> str:
    text = _("There were too many requests from you in a short time, so this one was not taken.")
    address = operator()["email"]
    if not address:
        return text
    return f"{text} {_('Write to %(address)s instead.') % {'address': address}}"


@action
def keep_out(request: MemberRequest, account_id: int) -> HttpResponseBase:
    """Signing in with Instagram proves the name: remove it from others' lists at once."""
    account = own_account(request, account_id)
    if not recently_authenticated(request):
        return redirect_to_reauthentication(request, back=reverse("privacy"))
    suppression.keep_out(account=account, language=_language())
    messages.success(
        request,
        _("Your name is being dropped from other members' lists, and is kept out from now on."),
    )
    return redirect("privacy")


@action
def held(request: MemberRequest, account_id: int) -> HttpResponse:
    """Show what other members' lists hold about the proven name; never whose lists."""
    account = own_account(request, account_id)
    rows = suppression.stored_about_proven(account=account)
    return _page(request, {"form": PrivacyRequestForm(), "held_of": account, "held": rows})


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    texts = consent.current_texts(_language())
    context |= {
        "rules": retention_rules(),
        "texts": [{"scope": scope.value, "text": texts[scope]} for scope in Scope],
        "operator": operator(),
        "proven": _proven(request),
        "listable": bool(settings.INSTAGRAM_FOLLOWERS_EDGE),
    }
    return render(request, "accounts/privacy.html", context, status=status)


def _proven(request: HttpRequest) -> list[LinkedAccount]:
    """The member's proven accounts."""
    if not isinstance(request.user, User):
        return []
    return [account for account in accounts_of(request.user) if account.is_proven]


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE
