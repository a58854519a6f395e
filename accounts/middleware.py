"""Middleware: input checks, locale, session activity, expired forms, reauthentication, admin."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from allauth.account.adapter import get_adapter
from allauth.core.internal.httpkit import HTTP_USER_AGENT_MAX_LENGTH
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
)
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import auth_routes
from accounts.instagram.reauthentication import recently_authenticated, redirect_to_reauthentication
from accounts.selectors import may_use_admin
from accounts.services.quotas import QuotaUsedUp, spend_of_visitor
from accounts.views.base import answers_get, referring_page
from accounts.views.visitors import mark_of, quota_exceeded

#: The precision of the time when a session was last used.
NOTED: Final = timedelta(minutes=1)


class NoNullsMiddleware:
    """Rejects text with NUL characters, which PostgreSQL cannot store, with 400.

    The API rejects it itself, by field.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.COOKIES = {
            name: value for name, value in request.COOKIES.items() if "\0" not in value
        }
        if not request.path_info.startswith("/api/"):
            _refuse_nulls(request.GET)
            if _is_plain_form(request):
                _refuse_nulls(request.POST)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Answer JSON that is nested too deeply with 400, whichever view reads it."""
        if isinstance(exception, RecursionError) and _raised_by_json(exception):
            raise BadRequest("A value in JSON is nested too deeply.") from None


def _raised_by_json(exception: RecursionError) -> bool:
    """Whether the JSON decoder overflowed; any other recursion is a fault of ours."""
    frames = [frame for frame, _line in traceback.walk_tb(exception.__traceback__)]
    return str(frames[-1].f_globals.get("__name__")).startswith("json.")


def _is_plain_form(request: HttpRequest) -> bool:
    """Views check uploads themselves: to inspect one here would read it in."""
    if request.content_type == "multipart/form-data":
        return request.path_info.startswith(("/auth/", "/identity/"))
    return request.content_type == "application/x-www-form-urlencoded"


def _refuse_nulls(given: QueryDict) -> None:
    if any("\0" in text for name, values in given.lists() for text in (name, *values)):
        raise BadRequest("A value holds a NUL character.")


class NewSessionMiddleware:
    """Limits how many new sessions a visitor may create: each start of a sign-in stores one.

    Placed inside SessionMiddleware, so that the new session can still be dropped.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        came_with = request.session.session_key
        response = self.get_response(request)
        # The object may differ: allauth replaces it when it has stored something.
        session = request.session
        if not session.modified or session.is_empty() or SESSION_KEY in session:
            return response
        if session.session_key is not None and session.session_key == came_with:
            return response
        try:
            spend_of_visitor(mark=mark_of(request), name="session")
        except QuotaUsedUp as error:
            session.flush()
            return quota_exceeded(request, error)
        return response


class MemberLocaleMiddleware:
    """Sets language and time zone: the member's, or for visitors the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        language = request.LANGUAGE_CODE
        zone = browser_zone(request)
        if user.is_authenticated:
            zone = user.time_zone
            language = user.language if user.language in dict(settings.LANGUAGES) else language
        request.LANGUAGE_CODE = language
        with translation.override(language), timezone.override(_zone(zone)):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


def browser_zone(request: HttpRequest) -> str:
    """The time zone in the browser's cookie (static/threadsite/site.js), else UTC."""
    name = unquote(request.COOKIES.get("zone", ""))
    return name if name and name in _zone_names() else "UTC"


@cache
def _zone_names() -> frozenset[str]:
    """Cached: the library scans the time zone folder at each call."""
    return frozenset(available_timezones())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


class ActivityMiddleware:
    """Records when and from where each session was last used, to the minute.

    allauth's own middleware writes a row for every page, and reads the member once more for it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and request.user.is_authenticated and not _is_noted(request, key):
            UserSession.objects.create_from_request(request)
        return self.get_response(request)


def _is_noted(request: HttpRequest, key: str) -> bool:
    """Whether this session was recorded within NOTED for the same member, address and browser."""
    noted = UserSession.objects.filter(
        session_key=key,
        user_id=request.user.pk,
        ip=get_adapter(request).get_client_ip(request),
        user_agent=request.headers.get("User-Agent", "")[:HTTP_USER_AGENT_MAX_LENGTH],
        last_seen_at__gt=timezone.now() - NOTED,
    )
    return bool(noted.exists())


class ExpiredSessionMiddleware:
    """Redirects a form sent after its session ended to the page of that form.

    Otherwise sign-in would redirect to the form's own address, which often answers only POST (405).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method not in {"POST", "PUT", "PATCH", "DELETE"}:
            return response
        address = urlsplit(response.headers.get("Location", ""))
        asked = QueryDict(address.query)
        if address.path != reverse("account_login") or REDIRECT_FIELD_NAME not in asked:
            return response
        messages.warning(
            request,
            _(
                "You were signed out in the meantime, so what you sent was not carried out. "
                "Sign in, and send it once more."
            ),
        )
        return redirect_to_login(_page_of(request), reverse("account_login"))


def _page_of(request: HttpRequest) -> str:
    """The address of the form itself, if it answers GET; else the page it was sent from."""
    own = request.get_full_path()
    place = urlsplit(own if answers_get(own) else referring_page(request))
    return urlunsplit(("", "", place.path, place.query, ""))


class ReauthenticationMiddleware:
    """Requires reauthentication on allauth's pages that change credentials.

    Done here and not per view, so that a page which allauth adds is guarded from the start.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        if match is None or not match.route.startswith("auth/"):
            return None
        if not auth_routes.requires_reauthentication(
            match.url_name or match.route, request.method or ""
        ):
            return None
        if not request.user.is_authenticated or recently_authenticated(request):
            return None
        return redirect_to_reauthentication(request, back=request.get_full_path())


class AdminAccessMiddleware:
    """Redirects the admin's sign-in to the site's own, which requires a second factor.

    Django's admin has a sign-in page of its own without second factors.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(reverse("admin:index")):
            return self.get_response(request)
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_login"))
        if user.is_staff and not may_use_admin(user):
            messages.warning(
                request, _("Staff need a second factor. Set one up here, then open the admin.")
            )
            return HttpResponseRedirect(reverse("mfa_index"))
        return self.get_response(request)
