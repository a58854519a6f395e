"""Request body limits, checked by the header before anybody reads the body.

Django reads a form before the view runs (for the CSRF token), and writes its files to disk. So a
forbidden upload is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.api.authentication import BearerAuthentication
from followersync.services.imports.requests import LARGEST
from threadsite.error_pages import for_programs, language_of

#: Forms, JSON and Instagram's callbacks.
USUAL: Final = 1 << 20
#: An archive with its form.
UPLOAD: Final = LARGEST + (1 << 20)
#: Views that check the user before reading, or for which it is checked here.
UPLOADS: Final[Mapping[str, int]] = MappingProxyType(
    {"account-import": UPLOAD, "api:imports": UPLOAD, "transfer-blobs": UPLOAD}
)
#: The view that reads before it checks: its form contains the CSRF token.
FORMS: Final = frozenset({"account-import"})


class BodyLimitMiddleware:
    """Answers 413 to large bodies, 411 without a length, 415 to forms not in UTF-8.

    Django's own answer to another encoding reads the form once more, and fails.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        size = _size(request)
        if size is None:
            return _refused(request, HTTPStatus.LENGTH_REQUIRED)
        if _speaks_otherwise(request):
            return _refused(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if size > USUAL and size > UPLOADS.get(_route(request), USUAL):
            return _refused(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Before CsrfViewMiddleware reads the form: a visitor's upload is not read at all."""
        if (_size(request) or 0) <= USUAL or _route(request) not in FORMS:
            return None
        if request.user.is_authenticated:
            return None
        return redirect_to_login(resolve_url("accounts"), resolve_url("account_login"))


@never_cache
def may_upload(request: HttpRequest) -> HttpResponse:
    """204 for a known user, else 401: a proxy asks this before it accepts an upload."""
    try:
        known = BearerAuthentication().authenticate(Request(request)) is not None
    except AuthenticationFailed:
        return HttpResponse(status=401)
    return HttpResponse(status=204 if known or request.user.is_authenticated else 401)


def _size(request: HttpRequest) -> int | None:
    """Bytes of the body; None if it has a body of unknown length."""
    if request.headers.get("Transfer-Encoding"):
        return None
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None


def _speaks_otherwise(request: HttpRequest) -> bool:
    encoding = (request.content_params or {}).get("charset", "utf-8").strip("'\"").lower()
    is_form = request.content_type == "application/x-www-form-urlencoded"
    return is_form and encoding not in ("utf-8", "utf8")


def _route(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""


_REFUSALS: Final = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", _("This request is too large.")),
    HTTPStatus.LENGTH_REQUIRED: ("length_required", _("This request names no length.")),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "not_utf8",
        _("This form is not written in UTF-8, so nothing of it was read."),
    ),
}


def _refused(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """In the format of the address."""
    with translation.override(language_of(request)):
        code, detail_text = _REFUSALS[status]
        detail = str(detail_text)
        return for_programs(request, status, code, detail) or render(
            request, "refused_body.html", {"detail": detail}, status=status
        )
