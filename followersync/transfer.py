"""`/transfer/`: receives exports that data-transfer tools push; off by default.

The Data Transfer Project's generic importer API: one item per POST, with an access token of ours
(scope followers:write), errors as `{"error", "error_description"}`.
https://github.com/dtinit/data-transfer-project/tree/master/extensions/data-transfer/portability-data-transfer-generic
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import wraps
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    RawPostDataException,
    UnreadablePostError,
)
from django.urls import re_path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import clock
from accounts.api.authentication import CHALLENGE, BearerAuthentication
from accounts.errors import Conflict, InvalidInput, ThreadsiteError, WaitUntil
from accounts.services.quotas import spend
from followersync.errors import WrongDelivery
from followersync.services.imports import transfer_routing, transfers
from followersync.sources import transfer_items

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.models import User

SCOPE: Final = "followers:write"
MOST_DRAINED: Final = 64 << 20


class Refusal(Exception):
    """An error answer in the form of the importer API."""

    def __init__(self, status: int, error: str, why: str, **headers: str) -> None:
        super().__init__(error)
        self.response = JsonResponse(
            {"error": error, "error_description": why}, status=status, headers=headers
        )


def _answers(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """404 while the endpoint is off; every error in the form that the tool understands."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if not settings.TRANSFER_DESTINATION:
            raise Http404
        try:
            return view(request)
        except Refusal as error:
            refusal = error
        except ThreadsiteError as error:
            refusal = _refusal(error)
        _drain(request)
        return refusal.response

    return answer


def _drain(request: HttpRequest) -> None:
    """Read some of the remaining body: a client that is still sending would not see the answer."""
    with suppress(OSError, RawPostDataException):
        for _piece in range(MOST_DRAINED >> 20):
            if not request.read(1 << 20):
                return


@csrf_exempt
@never_cache
@_answers
def blobs(request: HttpRequest) -> HttpResponse:
    """Receives a folder (JSON), or a file (multipart/related: JSON, then the bytes).

    201: stored, to be imported. 200: not needed, or here already; nothing was stored.
    """
    if request.method != "POST":
        raise Refusal(405, "method_not_allowed", "Items are sent by POST.", Allow="POST")
    member = _member(request)
    with tempfile.TemporaryFile() as content:
        item = _item(request, content)
        if item is None:
            return JsonResponse({}, status=200)
        if transfer_routing.classify(item) is not None:
            spend(user_id=member.pk, name="transfer")
        kept = transfers.receive(member=member, place=item, content=content)
    return JsonResponse({}, status=201 if kept else 200)


def _member(request: HttpRequest) -> User:
    """The member whose token it is. 401 invalid_token makes the tool refresh it and try again."""
    try:
        found = BearerAuthentication().authenticate(Request(request))
    except AuthenticationFailed as error:
        raise _no_token(str(error.detail)) from error
    if found is None:
        raise _no_token("An access token is needed.")
    member, token = found
    if SCOPE not in token.get_scopes():
        challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{SCOPE}"'
        raise Refusal(
            403, "insufficient_scope", f"The scope {SCOPE} is needed.",
            **{"WWW-Authenticate": challenge},
        )  # fmt: skip
    return cast("User", member)


def _item(request: HttpRequest, content: Any) -> PurePosixPath | None:
    """The file's path in the export, with its bytes in `content`; None for a folder."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise Refusal(411, "length_required", "Send the item with a Content-Length.")
    try:
        if request.content_type == "application/json":
            return transfer_items.place_of(request.read(transfer_items.LONGEST_HEAD + 1))
        if request.content_type == "multipart/related":
            boundary = (request.content_params or {}).get("boundary", "")
            return transfer_items.read(request, boundary, content, wanted=_wanted)
    except UnreadablePostError as error:
        raise Refusal(400, "invalid_request", "The item was cut off on its way.") from error
    except WrongDelivery as error:
        if error.too_large:
            raise transfers.DestinationFull from error
        raise Refusal(400, "invalid_request", str(error)) from error
    raise Refusal(415, "unsupported_media_type", "Send application/json or multipart/related.")


def _wanted(place: PurePosixPath) -> bool:
    return transfer_routing.classify(place) is not None


def _no_token(why: str) -> Refusal:
    return Refusal(
        401, "invalid_token", why,
        **{"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'},
    )  # fmt: skip


def _refusal(error: ThreadsiteError) -> Refusal:
    """The answer for an error of ours, by the reaction expected of the tool."""
    if isinstance(error, transfer_routing.NobodyToReceive):
        # Unlinked or withdrawn: the tool drops its tokens and sends nothing more.
        return Refusal(401, error.code, "The member receives follower lists here no more.")
    if isinstance(error, transfers.DestinationFull):
        return Refusal(413, error.code, "There is no room for more of this member's files.")
    if isinstance(error, WaitUntil):
        seconds = max(1, int(clock.real_seconds(error.at - clock.now())) + 1)
        return Refusal(
            429, error.code, "Too many items in a short time.", **{"Retry-After": str(seconds)}
        )
    status = 409 if isinstance(error, Conflict) else 422 if isinstance(error, InvalidInput) else 503
    return Refusal(status, error.code, str(error.detail))


urlpatterns = [re_path(r"^transfer/blobs/?$", blobs, name="transfer-blobs")]
