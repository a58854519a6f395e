"""Programs that act for a member over the API: tokens, revocation, redirect addresses."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from allauth.core.internal.httpkit import add_query_params
from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.internal.resources import is_resources_subset
from allauth.idp.oidc.models import Client, Token
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.api_scopes import SCOPES
from accounts.errors import InvalidInput, NotFound
from accounts.models import User
from accounts.queue import enqueue

# One client for all tokens made on the command line: they share no secret.
OWN_CLIENT: Final = "threadsite-api-token"
DEFAULT_DAYS: Final = 90
#: Longer than any code issued before can be valid.
TAKEN_BACK_SECONDS: Final = 3600
MAX_DAYS: Final = 366

IDENTITY: Final = "openid"
#: For the program's developer, in the language of OAuth's error descriptions.
NO_IDENTITY: Final = "This site certifies nobody's identity: ask without the scope openid."


@transaction.atomic
def issue_token(*, user: User, scopes: Sequence[str], days: int = DEFAULT_DAYS) -> str:
    """A bearer token for this member, in clear: shown only now, since only its hash is stored.

    Raises InvalidInput for an unknown scope, none at all, a member who may not sign in, or a
    lifetime that is not 1 to 366 days.
    """
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise InvalidInput(
            "unknown_scope",
            _("Name at least one of these scopes: %(scopes)s.") % {"scopes": ", ".join(SCOPES)},
            field="scope",
        )
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(
            "invalid_lifetime",
            _("A token lives from 1 to %(days)d days.") % {"days": MAX_DAYS},
            field="days",
        )
    if not user.is_active:
        raise InvalidInput("member_inactive", _("This member may not sign in."), field="member")
    value = secrets.token_urlsafe(32)
    token = Token(
        type=Token.Type.ACCESS_TOKEN,
        client=_own_client(),
        user=user,
        expires_at=timezone.now() + timedelta(days=days),
    )
    token.set_value(value)
    token.set_scopes(wanted)
    token.save()
    enqueue("accounts.tasks.notify_member", user.pk, "token_issued")
    return value


@transaction.atomic
def revoke_program(*, user: User, client_id: str) -> int:
    """Revoke all access of a program for this member; returns the number of its tokens."""
    deleted: int = Token.objects.filter(user_id=user.pk, client_id=client_id).delete()[0]
    if not deleted:
        raise NotFound
    cache.set(_revocation_key(user.pk, client_id), clock.now(), TAKEN_BACK_SECONDS)
    return deleted


def revoked_since(*, user_id: int, client_id: str, at: datetime) -> bool:
    """Whether the member revoked the program after `at`: earlier codes are then invalid."""
    last: datetime | None = cache.get(_revocation_key(user_id, client_id))
    return last is not None and last >= at


def _revocation_key(user_id: int, client_id: str) -> str:
    return f"program-taken-back[{user_id}:{client_id}]"


def revoke_family(*, client: Client, family: str) -> int:
    """Revoke all tokens that this program got from one code; returns how many."""
    if not family:
        return 0
    return int(Token.objects.filter(client=client, data__family=family).delete()[0])


def holds_grant(
    *, client: Client, user: User, scopes: Sequence[str], resources: Sequence[str]
) -> bool:
    """Whether the program's valid tokens of this member cover the scopes.

    `resources` (RFC 8707): the addresses asked for, empty for all. A token that is limited to some
    addresses says nothing about others.
    """
    granted: set[str] = set()
    tokens = Token.objects.valid().filter(
        client=client,
        user_id=user.pk,
        type__in=[Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN],
    )
    for token in tokens:
        limits = token.get_resources()
        if not limits or (resources and is_resources_subset(list(resources), limits)):
            granted.update(token.get_scopes())
    return set(scopes) <= granted


def has_access(user_id: int, client_id: str, scope: str) -> bool:
    """Whether the program still has a valid token of the member's with this scope."""
    tokens = Token.objects.valid().filter(
        client_id=client_id,
        user_id=user_id,
        type__in=[Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN],
    )
    return any(scope in token.get_scopes() for token in tokens)


def may_redirect(client: Client, address: str) -> bool:
    """Exactly as registered: no wildcard, no other port, no added parameter."""
    return address in client.get_redirect_uris()


def may_return_after_logout(client: Client, address: str) -> bool:
    """The same; if none is registered for this, the usual redirect addresses count."""
    own = client.get_post_logout_redirect_uris()
    return address in own if own else may_redirect(client, address)


def _own_client() -> Client:
    client, _created = Client.objects.get_or_create(
        pk=OWN_CLIENT,
        defaults={
            "name": "manage.py api_token",
            "scopes": "\n".join(SCOPES),
            # No grant type and no redirect: nobody can obtain a token as this client.
            "grant_types": "",
            "response_types": "none",
            "type": Client.Type.CONFIDENTIAL,
        },
    )
    return client


def can_sign_identity() -> bool:
    """Whether there is a key to sign OpenID tokens with."""
    return bool(get_adapter().list_private_keys())


def refused_address(*, client_id: str, redirect_uri: str, scope: str, state: str) -> str | None:
    """The redirect for a program that requests OpenID without a signing key; else None.

    None also for a program or an address that is not registered: that is refused elsewhere, by a
    page of ours, since a redirect would go to a stranger.
    """
    if can_sign_identity():
        return None
    client = Client.objects.filter(pk=client_id).first()
    if client is None or IDENTITY not in (scope.split() or client.get_default_scopes()):
        return None
    return error_address(client_id, redirect_uri, state, "invalid_scope", NO_IDENTITY)


def error_address(
    client_id: str, redirect_uri: str, state: str, error: str, description: str
) -> str | None:
    """Where to report an error to a program; None if the address is not registered."""
    client = Client.objects.filter(pk=client_id).first()
    if client is None or not may_redirect(client, redirect_uri):
        return None
    answer = {"error": error, "error_description": description}
    address: str = add_query_params(redirect_uri, answer | ({"state": state} if state else {}))
    return address
