"""Asks a member to prove anew who they are before a sensitive step: by a password, a second factor,
or by signing in at Instagram again.

A sign-in counts for fifteen minutes. After that allauth asks for a password or a second factor;
whoever has neither goes to Instagram once more and signs in there again.
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
    """Guards what the view does by POST; looking at its page needs no more than being signed in.

    `reading`: guards looking too, where what is shown is everything we hold. `back`: the name of
    the page to come back to from Instagram, where the address itself has none.
    """
    guarded: View = reauthentication_required(view, allow_get=not reading)

    @wraps(view)
    def show_yourself(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if (reading or request.method == "POST") and _must_go_to_instagram(request):
            return _to_instagram(request, reverse(back) if back else request.path)
        return guarded(request, *args, **kwargs)

    return show_yourself


def is_fresh(request: HttpRequest) -> bool:
    """Whether the member has shown lately that it is them: by a sign-in, or once more since.

    allauth asks again right after a sign-in, and never where there is neither password nor second
    factor; so this rule stands in its place (accounts.adapters.AccountAdapter).
    """
    user = request.user
    if not user.is_authenticated:
        return False
    latest = max((each["at"] for each in get_authentication_records(request, user)), default=0.0)
    if time.time() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        return True
    return _way_to_show(user) is None


def ask_for_proof(request: HttpRequest, *, back: str) -> HttpResponseBase:
    """Send the member to where they show that it is them, and from there to the address `back`.

    Nothing of the request is kept: a form that holds a new password would wait in the session.
    """
    user = request.user
    way = _way_to_show(user)
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


def came_back(request: HttpRequest, login: SocialLogin) -> None:
    """Take note if the person who signed in at Instagram just now is the member."""
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


def _must_go_to_instagram(request: HttpRequest) -> bool:
    return not is_fresh(request) and _way_to_show(request.user) == INSTAGRAM


def _way_to_show(user: Any) -> str | None:
    """The address of allauth's page that asks, or INSTAGRAM, or MAIL.

    None: nothing is left that could be asked for, as after an erasure of the only linked account;
    who is signed in then may still set a password, or they could never come back.
    """
    ways = get_adapter().get_reauthentication_methods(user)
    if ways:
        return str(ways[0]["url"])
    if SocialAccount.objects.filter(user_id=user.pk).exists():
        return INSTAGRAM
    if EmailAddress.objects.filter(user_id=user.pk, verified=True).exists():
        return MAIL
    return None
