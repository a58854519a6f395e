"""Views that link an account: consent page, then Instagram's login, or a username for archives."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import InvalidInput, NotFound, ThreadsiteError
from accounts.forms import ArchiveLinkForm
from accounts.instagram.reauthentication import recently_authenticated, redirect_to_reauthentication
from accounts.instagram.views import start
from accounts.models import LinkedAccount
from accounts.scopes import Scope
from accounts.selectors import account_of, accounts_of, consents_in_force
from accounts.services import consent, linking
from accounts.services.quotas import spend
from accounts.views.base import MemberRequest, action


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest) -> HttpResponseBase:
    account = _account_to_reconnect(request)
    if request.method != "POST":
        return _page(request, account)
    # A linked account is a way to sign in as well.
    if request.user.is_authenticated and not recently_authenticated(request):
        return redirect_to_reauthentication(request, back=request.get_full_path())
    shown = {str(scope): request.POST.get(f"hash_{scope}", "") for scope in _ticked(request)}
    try:
        pending = linking.begin(shown=shown, language=_language(), account=account)
    except ThreadsiteError as error:
        messages.error(request, str(error.detail))
        return _page(request, account, status=409)
    another = (
        account is None and request.user.is_authenticated and accounts_of(request.user).exists()
    )
    return start(request, pending=pending, another=another)


@action
def link_archive(request: MemberRequest) -> HttpResponse:
    form = ArchiveLinkForm(request.POST)
    if not form.is_valid():
        return _page(request, None, form=form, status=422)
    spend(user_id=request.user.pk, name="link")
    try:
        account = linking.link_by_archive(
            owner=request.user, username=form.cleaned_data["username"]
        )
    except InvalidInput as error:
        form.add_error("username", str(error.detail))
        return _page(request, None, form=form, status=422)
    messages.success(request, _("Added. Now allow what may be stored, and import your export."))
    return redirect("account-settings", account.pk)


def _account_to_reconnect(request: HttpRequest) -> LinkedAccount | None:
    """The member's account in `?account=`, to reconnect or prove at Instagram."""
    reference = request.GET.get("account")
    if not reference or not request.user.is_authenticated:
        return None
    try:
        return account_of(request.user, int(reference))
    except (NotFound, ValueError) as error:
        raise Http404 from error


def _page(
    request: HttpRequest,
    account: LinkedAccount | None,
    form: ArchiveLinkForm | None = None,
    status: int = 200,
) -> HttpResponse:
    given = consents_in_force(account) if account else frozenset()
    context: dict[str, Any] = {
        "account": account,
        "texts": [
            {"scope": scope.value, "text": text, "given": scope in given}
            for scope, text in consent.current_texts(_language()).items()
        ],
        "form": form or ArchiveLinkForm(),
        "listable": bool(settings.INSTAGRAM_FOLLOWERS_EDGE),
    }
    return render(request, "accounts/link.html", context, status=status)


def _ticked(request: HttpRequest) -> list[Scope]:
    return [scope for scope in Scope if scope.value in request.POST.getlist("scopes")]


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE
