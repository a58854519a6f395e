"""Edge: the paged list over OAuth, where Instagram's app has such an endpoint.

Meta's public Instagram API has none (docs/instagram.md): with `INSTAGRAM_FOLLOWERS_EDGE` unset only
an account's count is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from accounts.errors import WrongShape
from accounts.instagram import gateway
from followersync.sources.base import Count

if TYPE_CHECKING:
    from accounts.instagram.gateway import FollowerPage
    from accounts.models import LinkedAccount


class EdgeSource:
    """One account's list. `lists` is False where only the count can or may be read."""

    page_limit = gateway.MAX_PAGE

    def __init__(
        self,
        account: LinkedAccount,
        token: str,
        *,
        count_only: bool = False,
    ) -> None:
        self._instagram_id = account.instagram_id or ""
        self._token = token
        self._gateway = gateway.from_settings()
        self._edge: str = "" if count_only else settings.INSTAGRAM_FOLLOWERS_EDGE

    def __repr__(self) -> str:
        return f"EdgeSource({self._instagram_id!r})"

    @property
    def lists(self) -> bool:
        return bool(self._edge)

    def count(self) -> Count:
        counted = self._gateway.follower_count(self._token)
        if counted.followers is None and not self.lists:
            raise WrongShape
        return Count(counted.followers, counted.usage)

    def page(self, *, after: str | None, limit: int) -> FollowerPage:
        return self._gateway.followers(self._token, self._instagram_id, self._edge, limit, after)
