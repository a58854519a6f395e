"""OAuth 2.0 validator with the rules of OAuth 2.1 that allauth leaves open.

https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1 and RFC 9700. All tokens issued from one
authorization code or device code are one *family*: `Token.data["family"]`. A code or a refresh
token used twice is known to two parties, so the whole family ends (RFC 9700, section 4.14.2). A
used refresh token is recognised by its own signature, so none has to be stored.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.internal.oauthlib import device_codes
from allauth.idp.oidc.internal.oauthlib import server as allauth_server
from allauth.idp.oidc.internal.oauthlib.request_validator import OAuthLibRequestValidator
from allauth.idp.oidc.internal.oauthlib.utils import ValidatorContext, get_validator_context
from allauth.idp.oidc.models import Client, Token
from django.core import signing
from django.core.cache import cache
from django.db import connection
from oauthlib.common import Request  # type: ignore[import-untyped]
from oauthlib.oauth2.rfc6749.errors import (  # type: ignore[import-untyped]
    InvalidRequestError,
    UnsupportedCodeChallengeMethodError,
)
from oauthlib.oauth2.rfc8628.grant_types import DeviceCodeGrant  # type: ignore[import-untyped]

from accounts import clock
from accounts.services import programs

logger = logging.getLogger(__name__)

CHALLENGE_METHOD: Final = "S256"
RESPONSE_TYPE: Final = "code"
#: No client credentials: a program always acts for a member who allowed it.
GRANT_TYPES: Final = (
    Client.GrantType.AUTHORIZATION_CODE.value,
    Client.GrantType.REFRESH_TOKEN.value,
    Client.GrantType.DEVICE_CODE.value,
)
_SALT: Final = "accounts.oauth.refresh_token"


def install() -> None:
    """Make allauth's servers use this validator: they name theirs, without a setting."""
    allauth_server.OAuthLibRequestValidator = RequestValidator


def credential_families(form: Mapping[str, str]) -> list[str]:
    """The families of all credentials in a token request, in a fixed order.

    Of all, whatever the grant type: oauthlib itself decides which of them it exchanges.
    """
    codes = [form.get(name, "") for name in ("code", "device_code")]
    families = {family_of_code(code) for code in codes if code}
    renewed = _family_of_refresh_token(form.get("refresh_token", ""))
    return sorted(families | ({renewed} if renewed else set()))


def lock(family: str) -> None:
    """Wait for other requests with credentials of this family, until the transaction ends.

    Otherwise two concurrent requests could both exchange the same code.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [family])


def record_device_grant(device_code: str) -> None:
    """Record when the member authorized the device, which allauth does not."""
    data = cache.get(device_codes.cache_device_code_key(device_code))
    if data is not None:
        device_codes.update_device_state(device_code, {**data, "granted_at": clock.now()})


def device_grant_was_revoked(device_code: str) -> bool:
    """Whether the member revoked the program after authorizing this device."""
    data = cache.get(device_codes.cache_device_code_key(device_code)) or {}
    if "granted_at" not in data:
        return False
    return programs.revoked_since(
        user_id=int(data["user"]), client_id=data["client_id"], at=data["granted_at"]
    )


def end_reused(*, client: Client, family: str) -> None:
    """A credential of this family was used twice: end the family."""
    ended = programs.revoke_family(client=client, family=family)
    if ended:
        logger.warning("program %s used a credential twice: %d tokens ended", client.pk, ended)


class RequestValidator(OAuthLibRequestValidator):  # type: ignore[misc]
    """allauth's validator with its gaps closed; oauthlib calls the methods."""

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Request, *_: Any, **__: Any
    ) -> bool:
        """Tokens in a URL (the implicit grant) end up in histories and logs."""
        return response_type == RESPONSE_TYPE

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Request, *_: Any, **__: Any
    ) -> bool:
        return grant_type in GRANT_TYPES and grant_type in request.client.get_grant_types()

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *_: Any, **__: Any
    ) -> bool:
        return programs.may_redirect(request.client, redirect_uri)

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        """Always. oauthlib asks before it reads the method, which defaults to plain.

        Raises UnsupportedCodeChallengeMethodError for a method other than S256.
        """
        by_plain_text = request.code_challenge_method != CHALLENGE_METHOD
        if request.code_challenge is not None and by_plain_text:
            raise UnsupportedCodeChallengeMethodError(request=request)
        return True

    def save_authorization_code(
        self, client_id: str, code: dict[str, Any], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        dated = {**code, "issued_at": clock.now()}
        super().save_authorization_code(client_id, dated, request, *args, **kwargs)

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Request, *_: Any, **__: Any
    ) -> bool:
        if super().validate_code(request.client.pk, code, client, request):
            issued = self._lookup_authorization_code(request, request.client.pk, code)["code"]
            return not programs.revoked_since(
                user_id=request.user.pk, client_id=request.client.pk, at=issued["issued_at"]
            )
        end_reused(client=request.client, family=family_of_code(code))
        return False

    def validate_device_code(self, client_id: str, device_code: str, request: Request) -> str:
        """allauth has looked the code up and set the granted scopes as a list.

        A string came with this request itself: the member has not seen it (RFC 8628, 3.4).
        """
        granted = request.scope
        request.scope = None
        defaults = request.client.get_default_scopes()
        request.scopes = granted if isinstance(granted, list) else defaults
        return str(DeviceCodeGrant.DEVICE_CODE_AUTHORIZED)

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Request, *_: Any, **__: Any
    ) -> bool:
        if super().validate_refresh_token(refresh_token, client, request):
            return True
        if family := _family_of_refresh_token(refresh_token):
            end_reused(client=request.client, family=family)
        return False

    def save_bearer_token(
        self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Before storing, replace the refresh token by one that names its family."""
        if "refresh_token" in token:
            token["refresh_token"] = _refresh_token(_family(request))
        super().save_bearer_token(token, request, *args, **kwargs)

    def _prep_access_token(
        self, ctx: ValidatorContext, token: dict[str, Any], request: Request
    ) -> Token:
        return _in_family(super()._prep_access_token(ctx, token, request), request)

    def _prep_refresh_token(
        self, ctx: ValidatorContext, refresh_token: str, request: Request
    ) -> Token:
        return _in_family(super()._prep_refresh_token(ctx, refresh_token, request), request)

    def revoke_token(
        self, token: str, token_type_hint: str, request: Request, *_: Any, **__: Any
    ) -> None:
        """Only the program's own tokens (RFC 7009, section 2.1), with their families."""
        own = Token.objects.by_value(token).filter(client=request.client)
        for found in own.filter(type__in=[Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN]):
            programs.revoke_family(client=request.client, family=_stored_family(found))
            found.delete()

    def validate_silent_authorization(self, request: Request) -> bool:
        """`prompt=none`: only what the member has granted to this program before."""
        return programs.holds_grant(
            client=request.client,
            user=request.user,
            scopes=request.scopes,
            resources=get_validator_context().requested_resources or [],
        )

    def validate_user_match(
        self, id_token_hint: str | None, scopes: list[str], claims: Any, request: Request
    ) -> bool:
        if claims and not isinstance(claims, dict):
            raise InvalidRequestError(request=request, description="claims is no JSON object.")
        return bool(super().validate_user_match(id_token_hint, scopes, claims, request))


def _family(request: Request) -> str:
    """The family of a token request: its refresh token's, or a new one."""
    spent = get_validator_context().refresh_token
    if spent is not None:
        return _stored_family(spent) or family_of_code(request.refresh_token)
    if request.grant_type == Client.GrantType.DEVICE_CODE:
        return family_of_code(request.device_code)
    return family_of_code(request.code)


def _in_family(token: Token, request: Request) -> Token:
    token.data = {**(token.data or {}), "family": _family(request)}
    return token


def _stored_family(token: Token) -> str:
    return str((token.data or {}).get("family", ""))


def family_of_code(code: str) -> str:
    return str(get_adapter().hash_token(f"family:{code}"))


def _signer() -> signing.Signer:
    """Also accepts signatures by SECRET_KEY_FALLBACKS."""
    return signing.Signer(sep=".", salt=_SALT)


def _refresh_token(family: str) -> str:
    return _signer().sign(f"{family}.{secrets.token_urlsafe(48)}")


def _family_of_refresh_token(value: str) -> str | None:
    """None unless it was issued here; its stored hash says whether it is still valid."""
    try:
        return _signer().unsign(value).partition(".")[0]
    except signing.BadSignature:
        return None
