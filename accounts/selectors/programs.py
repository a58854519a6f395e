"""Programs with access to a member's account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.idp.oidc.models import Token

from accounts.models import User


@dataclass(frozen=True)
class Program:
    """A program that may act for a member, without its token."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    granted_at: datetime
    expires_at: datetime | None


def programs_of(user: User) -> list[Program]:
    """Programs with a valid token of this member, by name."""
    tokens = (
        Token.objects.valid()
        .filter(
            user_id=user.pk,
            type__in=[Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN],
            client__isnull=False,
        )
        .select_related("client")
        .order_by("client_id")
    )
    by_client: dict[str, list[Token]] = {}
    for token in tokens:
        by_client.setdefault(token.client_id, []).append(token)
    programs = [_program(group) for group in by_client.values()]
    return sorted(programs, key=lambda program: (program.name.lower(), program.client_id))


def _program(tokens: list[Token]) -> Program:
    ends = [token.expires_at for token in tokens]
    return Program(
        client_id=tokens[0].client_id,
        name=tokens[0].client.name,
        scopes=tuple(sorted({scope for token in tokens for scope in token.get_scopes()})),
        granted_at=min(token.created_at for token in tokens),
        expires_at=None if None in ends else max(ends),
    )
