"""Maps exceptions to HTTP: problem details after RFC 9457.

Every unsuccessful answer of the API is `application/problem+json` with `type`, `title`, `status`,
`detail`, a stable `code`, and for invalid input `errors`.
"""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFilesSent,
)
from django.core.signals import got_request_exception
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts import clock, errors
from followersync.api.runs import RunOutput
from followersync.errors import FeedGone, SyncRunning
from threadsite import outages

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"

#: The status of each of our exceptions; the first matching class decides.
STATUS: Final[tuple[tuple[type[errors.ThreadsiteError], HTTPStatus], ...]] = (
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.Gone, HTTPStatus.GONE),
    (FeedGone, HTTPStatus.GONE),
    (errors.InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.NotAllowed, HTTPStatus.FORBIDDEN),
    (errors.WaitUntil, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.RetryLater, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.Bug, HTTPStatus.INTERNAL_SERVER_ERROR),
    # Conflict, NeedsReconnect, PermissionMissing, ConsentMissing, UnlinkedByInstagram: the input
    # is right, but the state of the account does not allow it.
    (errors.ThreadsiteError, HTTPStatus.CONFLICT),
)

#: Django's own exceptions, as the equivalent errors of DRF.
_DJANGO: Final[tuple[tuple[type[Exception], HTTPStatus, str], ...]] = (
    (Http404, HTTPStatus.NOT_FOUND, "not_found"),
    (PermissionDenied, HTTPStatus.FORBIDDEN, "not_allowed"),
    (RequestDataTooBig, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    (TooManyFilesSent, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    (SuspiciousOperation, HTTPStatus.BAD_REQUEST, "bad_request"),
)


def handle(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER. Never returns None, so every error has the same format."""
    set_rollback()
    if isinstance(exc, errors.ThreadsiteError):
        response = _ours(exc)
    elif isinstance(exc, exceptions.APIException):
        response = _of_rest_framework(exc)
    else:
        response = _of_django(exc) or _of_outage(exc, context) or _unforeseen(exc, context)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    """An answer after RFC 9457."""
    body = problem_body(status, code, detail, **members)
    return Response(body, status=status.value, headers=headers, content_type=CONTENT_TYPE)


def problem_body(status: HTTPStatus, code: str, detail: str, **members: Any) -> dict[str, Any]:
    """`type` about:blank means that the title is the status's own."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": code,
        **members,
    }


def _ours(exc: errors.ThreadsiteError) -> Response:
    status = next(status for kind, status in STATUS if isinstance(exc, kind))
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("A request met a fault of ours: %s", exc.code, exc_info=exc)
    members: dict[str, Any] = {}
    if isinstance(exc, errors.InvalidInput):
        members["errors"] = [
            {"field": exc.field, "code": exc.code, "detail": str(exc.detail)},
        ]
    if isinstance(exc, SyncRunning):
        members["run"] = RunOutput(exc.run).data
    return problem(status, exc.code, str(exc.detail), headers=_retry_after(exc), **members)


def _retry_after(exc: errors.ThreadsiteError) -> dict[str, str]:
    if isinstance(exc, errors.WaitUntil):
        seconds = clock.real_seconds(exc.at - clock.now())
    elif isinstance(exc, errors.RetryLater):
        seconds = 60
    elif exc.code == "idempotency_in_progress":
        seconds = 1
    else:
        return {}
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _of_rest_framework(exc: exceptions.APIException) -> Response:
    headers: dict[str, str] = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if isinstance(exc, exceptions.ValidationError):
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            _("The input is not valid, and nothing was changed. See “errors” for what is wrong."),
            headers=headers,
            errors=list(_flat(exc.detail, "")),
        )
    detail = exc.detail if isinstance(exc.detail, exceptions.ErrorDetail) else str(exc.detail)
    code = getattr(detail, "code", None) or exc.default_code
    status = HTTPStatus(exc.status_code)
    if isinstance(exc, exceptions.ParseError):
        status = HTTPStatus.UNPROCESSABLE_ENTITY  # invalid input like any other
    return problem(status, code, str(detail), headers=headers)


def _flat(detail: Any, field: str) -> Iterator[dict[str, str | None]]:
    """DRF's nested details as a flat list, each with the path of its field ("a.0.b")."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, ".".join(filter(None, (field, own))))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, field)
    else:
        yield {"field": field or None, "code": detail.code, "detail": str(detail)}


def _of_django(exc: Exception) -> Response | None:
    for kind, status, code in _DJANGO:
        if isinstance(exc, kind):
            return problem(status, code, _DETAILS[status]())
    return None


_DETAILS: Final = {
    HTTPStatus.NOT_FOUND: lambda: _("There is nothing at this address."),
    HTTPStatus.FORBIDDEN: lambda: _("This is not allowed."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: lambda: _("This request is too large."),
    HTTPStatus.BAD_REQUEST: lambda: _("This request cannot be understood."),
}


def _of_outage(exc: Exception, context: dict[str, Any]) -> Response | None:
    outage = outages.outage_of(exc)
    if outage is None:
        return None
    outages.note(outage, exc, type(context.get("view")).__name__)
    response = problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        outage.code,
        str(outage.detail),
        headers={"Retry-After": str(outage.retry_after)},
    )
    outages.is_noted(response)
    return response


def _unforeseen(exc: Exception, context: dict[str, Any]) -> Response:
    request = context.get("request")
    logger.error("An unforeseen error in %s", type(context.get("view")).__name__, exc_info=exc)
    # As Django does it, so that its test client and error reporting see the error itself.
    got_request_exception.send(sender=None, request=getattr(request, "_request", None))
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        _("This is a fault of ours. It was recorded. Please try again later."),
    )
