"""Sources of an account's list: their protocol, and which ones an account has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

if TYPE_CHECKING:
    from accounts.instagram.gateway import FollowerPage, Usage
    from accounts.models import LinkedAccount

EDGE = "edge"
ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Count:
    """How many followers Instagram reports, including people whom no list shows; None: unknown."""

    followers: int | None
    usage: Usage


class ListSource(Protocol):
    """A paged follower list, newest first. Each method is one call, made after the gate check."""

    page_limit: int

    def count(self) -> Count:
        """Raises WrongShape, never 0, where only the count can be read and it is missing."""

    def page(self, *, after: str | None, limit: int) -> FollowerPage:
        """The page behind the cursor `after` (None: the first)."""


def list_sources(account: LinkedAccount) -> list[str]:
    """The sources of this account's lists; empty: only its count can be read."""
    if not account.is_proven:
        return [ARCHIVE]
    return [EDGE] if settings.INSTAGRAM_FOLLOWERS_EDGE else []
