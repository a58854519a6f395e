"""The `Idempotency-Key` header: a repeated write is done once and gets the same answer."""

from __future__ import annotations

import json
from functools import wraps
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from accounts.services import idempotency
from accounts.services.idempotency import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

    from accounts.api.base import ApiView

P = ParamSpec("P")
View = TypeVar("View", bound="ApiView")


def idempotent(
    handler: Callable[Concatenate[View, Request, P], Response],
) -> Callable[Concatenate[View, Request, P], Response]:
    """Decorates a write. Without the header nothing changes; with it, see services.idempotency."""

    @wraps(handler)
    def guarded(view: View, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)
        stored = idempotency.claim(user_id=view.member().pk, key=key, request=_fingerprint(request))
        if isinstance(stored, Answer):
            return _repeated(stored)
        try:
            with transaction.atomic():
                response = handler(view, request, *args, **kwargs)
                idempotency.keep(
                    stored, _answer(view, response), account_id=view.answered_account()
                )
        except BaseException:
            idempotency.release(stored)
            raise
        return response

    guarded.is_idempotent = True  # type: ignore[attr-defined]
    return cast("Callable[Concatenate[View, Request, P], Response]", guarded)


def _fingerprint(request: Request) -> bytes:
    """Method, address and body; files as hashes, read in pieces."""
    body = request.data
    if isinstance(body, dict) and request.FILES:
        body = {name: _file_hash(value) for name, value in body.items()}
    return json.dumps(
        [request.method, request.get_full_path(), body], sort_keys=True, default=str
    ).encode()


def _file_hash(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    digest = sha256()
    for piece in value.chunks():
        digest.update(piece)
    value.seek(0)
    return digest.hexdigest()


def _answer(view: ApiView, response: Response) -> Answer:
    body = json.loads(JSONRenderer().render(response.data)) if response.data is not None else None
    if isinstance(body, dict):
        body |= {name: None for name in view.secret_fields if name in body}
    return Answer(response.status_code, body, response.headers.get("Location", ""))


def _repeated(answer: Answer) -> Response:
    headers = {"Idempotency-Replayed": "true"}
    if answer.location:
        headers["Location"] = answer.location
    return Response(answer.body, status=answer.status, headers=headers)
