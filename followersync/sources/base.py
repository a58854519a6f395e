"""What a source of followers is, and which ones an account has."""

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
    """How many followers Instagram reports, also whom no list shows; None: it does not say."""

    followers: int | None
    usage: Usage


class ListSource(Protocol):
    """A paged follower list, newest first. Each method is one call, made after the gate."""

    page_limit: int

    def count(self) -> Count:
        """Raises WrongShape where the count is missing and all there is to read: never 0 then."""

    def page(self, *, after: str | None, limit: int) -> FollowerPage:
        """The page behind the cursor `after` (None: the first)."""


def list_sources(account: LinkedAccount) -> list[str]:
    """Where lists of this account can come from; empty: only its count can be read."""
    if not account.is_proven:
        return [ARCHIVE]
    return [EDGE] if settings.INSTAGRAM_FOLLOWERS_EDGE else []
