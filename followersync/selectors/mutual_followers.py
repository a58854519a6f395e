"""Mutual followers: followers who are members too, shown only where both agreed to be found."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput
from accounts.models import LinkedAccount
from followersync.models import Source, SyncSettings, public_id
from followersync.selectors.answers import FollowerPage, FollowerRow
from followersync.selectors.cursor import decode
from followersync.selectors.known_members import after, beyond
from followersync.store.known_members import KnownMemberRow, KnownMembersQuery, list_known_members


def members_page(
    account: LinkedAccount,
    *,
    q: str = "",
    at: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> FollowerPage:
    """As `followers_page`, but only members whom this member may see by consent.

    They are recognised by the Instagram id that they proved, never by name: see
    `selectors.known_members`. Those whom this account follows too come first. Raises InvalidInput
    for `at`, since consent holds for today only.
    """
    if at is not None:
        raise InvalidInput(
            "not_combinable", _("“members” says who is a member today; leave out “at”."), "at"
        )
    settings = SyncSettings.objects.filter(pk=account.pk).first() or SyncSettings(account=account)
    position = decode(cursor).position if cursor else settings.head
    found = list_known_members(
        KnownMembersQuery(
            account_id=account.pk,
            followers_only=True,
            prefix=q.strip().lstrip("@").lower(),
            start=after(cursor),
            limit=limit + 1,
        )
    )
    return FollowerPage(
        rows=[_row(row, settings.baseline_at) for row in found[:limit]],
        next=beyond(found, limit, position),
        previous=None,
        position=position,
        epoch=str(settings.epoch),
        complete=settings.complete,
    )


def _row(row: KnownMemberRow, baseline_at: datetime | None) -> FollowerRow:
    key = cast("int", row.key)
    return FollowerRow(
        key=key,
        public_id=public_id(key),
        instagram_id=str(key),
        username=cast("str", row.listed_as),
        since=row.since,
        first_seen_at=row.first_seen_at or baseline_at,
        source=str(Source(cast("int", row.source)).label),
        unconfirmed_since=row.unconfirmed_since,
        beyond=bool(row.beyond),
    )


def feed_start(account: LinkedAccount) -> int:
    """The position just before the oldest stored entry of the feed."""
    first = SyncSettings.objects.filter(pk=account.pk).values_list("first_position", flat=True)
    return (first.first() or 1) - 1
