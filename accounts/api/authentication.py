"""API authentication: bearer tokens of programs, and the member's own web session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.internal.resources import is_resources_subset
from allauth.idp.oidc.models import Token
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed

if TYPE_CHECKING:
    from rest_framework.request import Request

CHALLENGE = 'Bearer realm="threadsite"'


class BearerAuthentication(BaseAuthentication):
    """An access token of our own OAuth 2.0 server, in the Authorization header only (RFC 6750).

    allauth's class treats a bad token as absent, takes tokens from the body and accepts tokens
    without a member. Here a bad credential is answered with 401, so that a program never continues
    under the session that a browser sends along.
    """

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _space, value = header.partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise AuthenticationFailed(
                _("Send the access token as: Authorization: Bearer <token>."), "bad_credential"
            )
        token = self._usable(value.strip(), request)
        return token.user, token

    def _usable(self, value: str, request: Request) -> Token:
        """Return the token if known, unexpired, of an active member and for this address."""
        # No order and no more conditions than the index wants: this is asked for every answer.
        hashed = get_adapter().hash_token(value)
        known = Token.objects.filter(hash=hashed, type=Token.Type.ACCESS_TOKEN)
        found = next(iter(known.select_related("user")[:1]), None)
        if found is not None and found.expires_at and found.expires_at <= timezone.now():
            found = None
        if found is None or found.user is None or not found.user.is_active:
            raise AuthenticationFailed(
                _("This access token is unknown, has expired or was revoked. Get a new one."),
                "invalid_token",
            )
        asked = [request.build_absolute_uri(request.path)]
        if not is_resources_subset(asked, found.get_resources()):
            raise AuthenticationFailed(
                _("This access token was issued for another address."), "invalid_token"
            )
        return found

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class MemberSession(SessionAuthentication):
    """The member's own session on this site; every write needs the CSRF token."""

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def is_own_session(request: Request) -> bool:
    """Whether the member asks in their own session, and not a program for them."""
    return isinstance(request.successful_authenticator, MemberSession)
