"""Request log: an id per request, in its log lines and its answer, and one event."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import log_context
from threadsite.logs import route_of

HEADER: Final = "X-Request-ID"
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
logger = logging.getLogger(__name__)


class RequestLogMiddleware:
    """Uses the id of a trusted proxy, else generates one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.monotonic()
        with log_context.about(request=_id_of(request)):
            response = self.get_response(request)
            response.headers[HEADER] = str(log_context.fields()["request"])
            if not request.path_info.startswith(settings.STATIC_URL):
                _log(request, response, time.monotonic() - begun)
        return response


def _id_of(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "") if settings.ALLAUTH_TRUSTED_PROXY_COUNT else ""
    return given if _GIVEN.fullmatch(given) else uuid.uuid4().hex[:16]


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Logs the route and not the path, which may contain a key or a code."""
    event: dict[str, Any] = {
        "method": request.method,
        "route": route_of(request),
        "status": response.status_code,
        "ms": round(1000 * seconds, 1),
    }
    match = request.resolver_match
    if match is not None and "account_id" in match.kwargs:
        event["account"] = match.kwargs["account_id"]
    logger.info("%(method)s %(route)s %(status)s", event, extra={"event": event})
