"""Bodies: how large a request may be, decided by its header before anybody reads it.

Django reads a form before the view runs (for the CSRF token), and writes its files to disk. So an
upload that nobody may make is refused here.
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

#: Forms, JSON and what Instagram tells us.
USUAL: Final = 1 << 20
#: An archive, and the form around it.
UPLOAD: Final = LARGEST + (1 << 20)
#: Each of these asks who it is before it reads, or is asked for here.
UPLOADS: Final[Mapping[str, int]] = MappingProxyType(
    {"account-import": UPLOAD, "api:imports": UPLOAD, "transfer-blobs": UPLOAD}
)
#: The one that reads before it asks: its form carries the CSRF token.
FORMS: Final = frozenset({"account-import"})


class BodyLimitMiddleware:
    """413 for what is too large, 411 for what does not say how large it is, 415 for a form in
    another encoding than UTF-8: Django's own answer to it reads the form once more, and fails."""

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
        """Runs before CsrfViewMiddleware reads the form: a stranger's upload is not read at all."""
        if (_size(request) or 0) <= USUAL or _route(request) not in FORMS:
            return None
        if request.user.is_authenticated:
            return None
        return redirect_to_login(resolve_url("accounts"), resolve_url("account_login"))


@never_cache
def may_upload(request: HttpRequest) -> HttpResponse:
    """204 for somebody whom we know, else 401: asked by a proxy before it takes an upload."""
    try:
        known = BearerAuthentication().authenticate(Request(request)) is not None
    except AuthenticationFailed:
        return HttpResponse(status=401)
    return HttpResponse(status=204 if known or request.user.is_authenticated else 401)


def _size(request: HttpRequest) -> int | None:
    """Bytes of the body; None where it has one of unknown length."""
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
    """In the form that the address speaks."""
    with translation.override(language_of(request)):
        code, told = _REFUSALS[status]
        detail = str(told)
        return for_programs(request, status, code, detail) or render(
            request, "refused_body.html", {"detail": detail}, status=status
        )
