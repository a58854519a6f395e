"""Decorators and helpers of member pages: sign-in, account look-up, refusals as messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import clock
from accounts.errors import NotFound, ThreadsiteError
from accounts.models import LinkedAccount, User
from accounts.selectors import account_of

P = ParamSpec("P")


#: Routes of others that answer only POST.
_ACTS = frozenset({"admin:logout", "set-language"})


class MemberRequest(HttpRequest):
    """A request of a signed-in member."""

    user: User


View = Callable[Concatenate[MemberRequest, P], HttpResponseBase]
AnyView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def own_account(request: MemberRequest, account_id: int) -> LinkedAccount:
    """The member's own account; 404 for any other."""
    try:
        return account_of(request.user, account_id)
    except NotFound as error:
        raise Http404 from error


def page(view: View[P]) -> AnyView[P]:
    """Decorates a member's page: signed in, read-only, frozen time, not cached."""

    @wraps(view)
    def with_frozen_time(
        request: MemberRequest, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        with clock.one_moment():
            return view(request, *args, **kwargs)

    guarded: Any = login_required(require_safe(with_frozen_time))
    return cast("AnyView[P]", never_cache(guarded))


def action(view: View[P]) -> AnyView[P]:
    """Decorates a member's action: POST only. A refusal becomes a message on the page before."""

    @wraps(view)
    def with_refusal_as_message(
        request: MemberRequest, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404 from error
        except ThreadsiteError as error:
            messages.error(request, str(error.detail))
            return redirect(referring_page(request))

    guarded: Any = login_required(require_POST(with_refusal_as_message))
    guarded.is_action = True
    return cast("AnyView[P]", guarded)


def referring_page(request: HttpRequest, otherwise: str = "accounts") -> str:
    """The page of ours in the Referer, else `otherwise`."""
    # To inspect an upload here would read it in.
    is_upload = request.content_type == "multipart/form-data"
    asked = None if is_upload else request.POST.get("next")
    for place in (asked, request.headers.get("referer")):
        ours = place and url_has_allowed_host_and_scheme(place, {request.get_host()})
        if place and ours and answers_get(place):
            return place
    return resolve_url(otherwise)


def answers_get(place: str) -> bool:
    """Whether `place` answers GET; an action that answered with its form does not."""
    try:
        match = resolve(urlsplit(place).path)
    except Resolver404:
        return False
    view = getattr(match.func, "view_class", None)
    if match.view_name in _ACTS or (view is not None and not hasattr(view, "get")):
        return False
    return not hasattr(match.func, "is_action")
