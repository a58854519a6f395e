"""OpenAPI schema: names, security schemes, scopes and problem responses of all views."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.urls import reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from accounts.api_scopes import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong, after RFC 9457. Programs go by `code`, which is stable.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people, in their language."},
        "code": {"type": "string", "description": "For programs; never translated."},
        "errors": {
            "type": "array",
            "description": "With 422: what is wrong where.",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": ["string", "null"]},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
    "description": (
        "Your own word for this request. Sent again within 24 hours, the request is not done "
        "again but answered as the first time."
    ),
}

_MEANS: Final[dict[int, str]] = {
    401: "No valid credential.",
    403: "The scope is missing, the CSRF token is, or only the member in person may do this.",
    404: "There is no such thing, or it is not yours.",
    409: "The present state does not allow it.",
    410: "It was there, and is no longer kept.",
    415: "The body is of a type that this route does not take.",
    422: "The input is not valid.",
    429: "Too often, or Instagram's limit is used up. Retry-After says how many seconds to wait.",
}


class Schema(AutoSchema):  # type: ignore[misc]
    """Names each nested serializer after its view, and adds the responses common to all routes."""

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        outer, _dot, inner = type(serializer).__qualname__.rpartition(".")
        view = outer.rpartition(".")[2].removesuffix("View")
        return view + inner.removesuffix("Serializer")

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            self._add_problems(operation)
            if self.method in ("POST", "PUT", "PATCH", "DELETE"):
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        return operation

    def _add_problems(self, operation: dict[str, Any]) -> None:
        self.registry.register_on_missing(
            ResolvedComponent(
                name="Problem", type=ResolvedComponent.SCHEMA, object="Problem", schema=PROBLEM
            )
        )
        for status in self._possible(operation):
            operation["responses"].setdefault(str(status), _problem_answer(status))

    def _possible(self, operation: dict[str, Any]) -> list[int]:
        """The error statuses that this operation can return."""
        found = list(getattr(self.view, "problems", ()))
        if self.view.permission_classes:
            found += [401, 403]
        if "{" in self.path:
            found.append(404)
        if self.method != "GET" or operation.get("parameters"):
            found.append(422)
        if self.method != "GET":
            found += [409, 415, 429]
        return found


def _problem_answer(status: int) -> dict[str, Any]:
    example = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _MEANS[status],
        "code": "…",
    }
    media = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {"description": _MEANS[status], "content": {"application/problem+json": media}}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    """Our own OAuth 2.0 server, and tokens entered by hand."""

    target_class = "accounts.api.authentication.BearerAuthentication"
    name = ["oauth2", "bearer"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        scope = getattr(auto_schema.view, "scopes", {}).get(auto_schema.method)
        return [{name: [scope]} for name in self.name] if scope else []

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        base = settings.PUBLIC_URL.rstrip("/")
        flow = {
            "authorizationUrl": base + reverse("idp:oidc:authorization"),
            "tokenUrl": base + reverse("idp:oidc:token"),
            "refreshUrl": base + reverse("idp:oidc:token"),
            "scopes": {name: str(text) for name, text in SCOPES.items()},
        }
        return [
            {
                "type": "oauth2",
                "description": "Authorization code with PKCE.",
                "flows": {"authorizationCode": flow},
            },
            {"type": "http", "scheme": "bearer"},
        ]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    """The web session; its writes need a CSRF token."""

    target_class = "accounts.api.authentication.MemberSession"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The member's own session; writes send the header X-CSRFToken as well.",
        }


def page_of(
    row: type[serializers.Serializer[Any]],
    name: str,
    **beside: serializers.Field[Any, Any, Any, Any],
) -> type[serializers.Serializer[Any]]:
    """The schema of a page of `row`, with the fields beside `results`."""
    fields: dict[str, Any] = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": row(many=True),
        **beside,
    }
    return type(name, (serializers.Serializer,), fields)


def operation(
    name: str,
    summary: str,
    answers: Mapping[Any, Any],
    *,
    takes: Any = None,
    query: type[serializers.Serializer[Any]] | None = None,
    **more: Any,
) -> Callable[[Any], Any]:
    """Documents a view method: `takes` its body, `query` its query string, `answers` by status."""
    decorate: Callable[[Any], Any] = extend_schema(
        operation_id=name,
        summary=summary,
        request=takes,
        responses=dict(answers),
        parameters=[query] if query else None,
        **more,
    )
    return decorate
