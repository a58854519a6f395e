"""Before grave steps a member shows anew that it is them: also one who has only Instagram.

allauth asks for a password or a second factor, and lets pass whoever has neither. For those the
last sign-in must be recent, or they go to Instagram once more and sign in there again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import (
    get_reauthentication_flows,
    is_reauthentication_required,
)
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.instagram.views import send_to_instagram
from accounts.scopes import BASIC_PERMISSION

View = Callable[..., HttpResponseBase]
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
            messages.info(request, _("Please sign in at Instagram once more, then repeat this."))
            return send_to_instagram(
                request,
                AuthProcess.REDIRECT,
                next_url=reverse(back) if back else request.path,
                data=dict(STATE),
                scope=[BASIC_PERMISSION],
                another=True,
            )
        return guarded(request, *args, **kwargs)

    return show_yourself


def is_fresh(request: HttpRequest) -> bool:
    """Whether the member has shown lately that it is them, by the same rule as for the pages."""
    required = is_reauthentication_required(request, app="")
    return not (required or _must_go_to_instagram(request))


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


def _must_go_to_instagram(request: HttpRequest) -> bool:
    user = request.user
    if not user.is_authenticated or get_reauthentication_flows(user):
        return False
    latest = max((each["at"] for each in get_authentication_records(request, user)), default=0.0)
    if time.time() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        return False
    return bool(SocialAccount.objects.filter(user_id=user.pk).exists())
