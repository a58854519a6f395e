"""Reauthentication before sensitive steps: password, second factor or sign-in at Instagram.

A sign-in counts for fifteen minutes. After that allauth asks for a password or a second factor; a
member with neither signs in at Instagram again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.instagram.views import send_to_instagram
from accounts.scopes import BASIC_PERMISSION

View = Callable[..., HttpResponseBase]
INSTAGRAM: Final = "instagram"
MAIL: Final = "mail"
STATE: Final = {"reauthenticate": True}


def reauthenticated(view: View, *, reading: bool = False, back: str | None = None) -> View:
    """Decorator: POST needs a recent sign-in; GET only needs a signed-in member.

    `reading`: guards GET too, for views that show all stored data. `back`: the name of the page to
    return to from Instagram, if the view's own address has no page.
    """
    guarded: View = reauthentication_required(view, allow_get=not reading)

    @wraps(view)
    def with_check(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if (reading or request.method == "POST") and _reauthenticates_at_instagram(request):
            return _to_instagram(request, reverse(back) if back else request.path)
        return guarded(request, *args, **kwargs)

    return with_check


def recently_authenticated(request: HttpRequest) -> bool:
    """Whether the member signed in or reauthenticated recently.

    allauth asks again right after a sign-in, and never if there is neither password nor second
    factor; so this rule replaces its own (accounts.adapters.AccountAdapter).
    """
    user = request.user
    if not user.is_authenticated:
        return False
    latest = max((each["at"] for each in get_authentication_records(request, user)), default=0.0)
    if time.time() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        return True
    return _reauthentication_page(user) is None


def redirect_to_reauthentication(request: HttpRequest, *, back: str) -> HttpResponseBase:
    """Redirect to where the member reauthenticates, and from there to the address `back`.

    Nothing of the request is kept: a form with a new password would be stored in the session.
    """
    user = request.user
    way = _reauthentication_page(user)
    if way == INSTAGRAM:
        return _to_instagram(request, back)
    if way == MAIL:
        messages.info(request, _("First set a password, by a mail to your confirmed address."))
        return HttpResponseRedirect(reverse("account_reset_password"))
    if request.method == "POST":
        messages.info(request, _("Please show once more that it is you, then repeat this."))
    if user.is_authenticated and way is None:
        return HttpResponseRedirect(back)
    return redirect_to_login(back, way or reverse("account_login"))


def record_reauthentication(request: HttpRequest, login: SocialLogin) -> None:
    """Record a reauthentication if the Instagram account that signed in is the member's."""
    if login.state.get("data") != STATE:
        return
    login.token = None
    if not login.is_existing or login.user.pk != request.user.pk:
        messages.error(request, _("At Instagram somebody else is signed in. Nothing was changed."))
        return
    record_authentication(
        request,
        request.user,
        "socialaccount",
        provider=login.account.provider,
        uid=login.account.uid,
        reauthenticated=True,
    )


def _to_instagram(request: HttpRequest, back: str) -> HttpResponseBase:
    messages.info(request, _("Please sign in at Instagram once more, then repeat this."))
    return send_to_instagram(
        request,
        AuthProcess.REDIRECT,
        next_url=back,
        data=dict(STATE),
        scope=[BASIC_PERMISSION],
        another=True,
    )


def _reauthenticates_at_instagram(request: HttpRequest) -> bool:
    return not recently_authenticated(request) and _reauthentication_page(request.user) == INSTAGRAM


def _reauthentication_page(user: Any) -> str | None:
    """The address of allauth's page, or INSTAGRAM, or MAIL.

    None: nothing is left to ask for, as after an erasure of the only linked account; the signed-in
    member may then still set a password, since otherwise they could never return.
    """
    ways = get_adapter().get_reauthentication_methods(user)
    if ways:
        return str(ways[0]["url"])
    if SocialAccount.objects.filter(user_id=user.pk).exists():
        return INSTAGRAM
    if EmailAddress.objects.filter(user_id=user.pk, verified=True).exists():
        return MAIL
    return None
