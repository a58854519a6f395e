"""ApiView, the base class of the API's views: scopes, body, query, channel of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.http import QueryDict
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.views import APIView

from accounts.api.authentication import BearerAuthentication, MemberSession, is_own_session
from accounts.api.parsers import PlainJson
from accounts.api.permissions import MemberWithScope
from accounts.api.serializers import NoInput
from accounts.selectors import account_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request
    from rest_framework.response import Response

    from accounts.api.serializers import StrictSerializer
    from accounts.models import LinkedAccount, User


class AlwaysJson(DefaultContentNegotiation):
    """Always answers in JSON: an Accept header never causes a 406."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, str(only.media_type)


class ApiView(APIView):
    """A view of the API. `scopes` maps each method to the scope that a program needs for it."""

    authentication_classes: Any = [BearerAuthentication, MemberSession]
    permission_classes: Any = [MemberWithScope]
    parser_classes: Any = [PlainJson]
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    scopes: ClassVar[Mapping[str, str]] = {}
    #: Methods for which a member's own session must have been confirmed lately, as on the pages. A
    #: program's token was given for this very purpose, by its scope.
    needs_reauthentication_for: ClassVar[Sequence[str]] = ()
    #: Statuses of problems that this route meets beyond those that all do.
    problems: ClassVar[Sequence[int]] = ()
    #: Fields of an answer that are shown once and never stored with an idempotency key.
    secret_fields: ClassVar[Sequence[str]] = ()

    def scope_of(self, method: str) -> str:
        """The scope for `method`; "" (which no token holds) when programs may not use it."""
        return self.scopes.get("GET" if method == "HEAD" else method, "")

    def member(self) -> User:
        return cast("User", self.request.user)

    def account(self, account_id: int) -> LinkedAccount:
        """The member's own account; NotFound for any other."""
        return account_of(owner=self.member(), account_id=account_id)

    def answered_account(self) -> int | None:
        """The account named in the answer to a write; erased with that account's data."""
        return cast("int | None", self.kwargs.get("account_id"))

    def by_program(self) -> bool:
        return not is_own_session(self.request)

    def program(self) -> str:
        """The id of the calling program; "" for the member in their own session."""
        token: Any = self.request.auth
        return str(token.client_id) if self.by_program() else ""

    def channel(self) -> str:
        """The channel of the request for the ledger: member or program."""
        return "api" if self.by_program() else "web"

    def read(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """Return the validated body."""
        data = self.request.data
        return _checked(serializer, data, typed=not isinstance(data, QueryDict))

    def query(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """Return the validated query string."""
        return _checked(serializer, self.request.query_params.dict())

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer


def _checked(
    serializer: type[StrictSerializer], data: Any, *, typed: bool = False
) -> dict[str, Any]:
    if serializer is NoInput and not data:
        return {}
    checked = serializer(data=data, context={"typed": typed})
    checked.is_valid(raise_exception=True)
    return cast("dict[str, Any]", checked.validated_data)
