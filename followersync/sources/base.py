"""Sources of an account's list: their protocol, and which ones an account has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from accounts.instagram.gateway import Usage
    from accounts.models import LinkedAccount

EDGE = "edge"
ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Count:
    """How many followers Instagram reports, including people whom no list shows; None: unknown."""

    followers: int | None
    usage: Usage


def list_sources(account: LinkedAccount) -> list[str]:
    """The sources of this account's lists; empty: only its count can be read."""
    if not account.is_proven:
        return [ARCHIVE]
    return [EDGE] if settings.INSTAGRAM_FOLLOWERS_EDGE else []
