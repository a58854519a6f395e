"""Error pages outside views, in the format of the address: problem document, JSON or HTML.

Django calls the handlers below for errors of middleware and views, so nothing under `/api/` is ever
HTML. The answer to an outage does not ask the database who the user is.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.views import defaults

from threadsite import outages
from threadsite.exception_handler import CONTENT_TYPE, problem_body
from threadsite.logs import route_of
from threadsite.outages import Outage

API: Final = "/api/"
#: Addresses whose errors are JSON with `error` and `error_description`.
PROGRAMS: Final = ("/transfer/", "/identity/o/api/", "/.well-known/", "/instagram/")


def language_of(request: HttpRequest) -> str:
    """The language set by the middleware; before that, the browser's."""
    chosen: str | None = getattr(request, "LANGUAGE_CODE", None)
    return chosen or translation.get_language_from_request(request)


def for_programs(
    request: HttpRequest, status: HTTPStatus, code: str, detail: str
) -> HttpResponse | None:
    """The error in the format of this address; None if it serves HTML."""
    path = request.path_info
    if path.startswith(API):
        body: dict[str, Any] = problem_body(status, code, detail)
        return JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    if path.startswith(PROGRAMS):
        return JsonResponse({"error": code, "error_description": detail}, status=status)
    return None


def unavailable(request: HttpRequest, outage: Outage) -> HttpResponse:
    """503 with `Retry-After`; the page does not ask the database who is signed in."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    with translation.override(language_of(request)):
        detail = str(outage.detail)
        response = for_programs(request, status, outage.code, detail)
        if response is None:
            again = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
            context = {"detail": detail, "again": again}
            response = HttpResponse(render_to_string("503.html", context), status=status)
    response.headers["Retry-After"] = str(outage.retry_after)
    response.headers["Cache-Control"] = "no-store"
    outages.is_noted(response)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: for `handler400`."""
    detail = _("This request cannot be understood.")
    return for_programs(
        request, HTTPStatus.BAD_REQUEST, "bad_request", detail
    ) or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: for `handler403`."""
    detail = _("This is not allowed.")
    return for_programs(
        request, HTTPStatus.FORBIDDEN, "not_allowed", detail
    ) or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: for `handler404`."""
    detail = _("There is nothing at this address.")
    return for_programs(
        request, HTTPStatus.NOT_FOUND, "not_found", detail
    ) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 for an outage, else 500: for `handler500`, called while the error is handled."""
    error = sys.exc_info()[1]
    outage = outages.outage_of(error)
    if error is not None and outage is not None:
        outages.note(outage, error, route_of(request))
        return unavailable(request, outage)
    detail = _("This is a fault of ours. It was recorded. Please try again later.")
    return for_programs(
        request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail
    ) or defaults.server_error(request)
