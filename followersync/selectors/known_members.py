"""Known members: other members in this account's lists, where both allow being found.

Nothing about them is stored: each page is computed from the current rows. So a known member appears
when they join and agree, and disappears with the commit that withdraws, pauses, unlinks or erases.

Both accounts must be proven by Instagram, since an archive and a name could be anybody's. A paused
account is hidden: its list may no longer be up to date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.models import LinkedAccount
from followersync.selectors.cursor import Cursor, decode, encode, refused
from followersync.store.known_members import KnownMemberRow, KnownMembersQuery, list_known_members


@dataclass(frozen=True, slots=True)
class KnownMember:
    """Another member's linked account, and how the two are connected.

    `follows_you`: its Instagram id is in this account's list; `you_follow`: the reverse. `since` is
    when it followed, None where unknown; `unconfirmed_since` as in the list itself.
    """

    username: str
    follows_you: bool
    you_follow: bool
    since: datetime | None
    unconfirmed_since: datetime | None

    @property
    def is_mutual(self) -> bool:
        return self.follows_you and self.you_follow


@dataclass(frozen=True, slots=True)
class KnownMembersPage:
    rows: list[KnownMember]
    next: str | None


def known_members_of(
    account: LinkedAccount, *, cursor: str | None = None, limit: int = 50
) -> KnownMembersPage:
    """Known members, mutual ones first, then by username; in one query.

    Empty while the account itself is not discoverable. Raises InvalidInput for a foreign cursor.
    """
    start = after(cursor)
    found = list_known_members(
        KnownMembersQuery(account_id=account.pk, start=start, limit=limit + 1)
    )
    return KnownMembersPage(
        rows=[_connection(row) for row in found[:limit]], next=beyond(found, limit)
    )


def after(cursor: str | None) -> tuple[str, int] | None:
    """Where a page begins. Raises InvalidInput for a cursor of another list."""
    if not cursor:
        return None
    start = decode(cursor)
    if not isinstance(start.order, str) or "\0" in start.order:
        raise refused()
    return start.order, start.key


def beyond(found: list[KnownMemberRow], limit: int, position: int = 0) -> str | None:
    """The cursor after the page of `limit`, if there is more than that page."""
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return encode(Cursor(last.rank, last.account_id, False, position))


def _connection(row: KnownMemberRow) -> KnownMember:
    return KnownMember(
        username=row.username,
        follows_you=row.key is not None,
        you_follow=row.you_follow,
        since=row.since,
        unconfirmed_since=row.unconfirmed_since,
    )
