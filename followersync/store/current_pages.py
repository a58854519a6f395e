"""Pages of the current follower list: newest first, or by username prefix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from followersync.models.follower import BLOCK_BITS


class ListRow(NamedTuple):
    """`order` is what the page is sorted by, together with the key."""

    order: int | str
    key: int
    username: str
    since: datetime | None
    first_seen_at: datetime | None
    source: int
    unconfirmed_since: datetime | None
    beyond: bool | None = None


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What to list. `start`: the (order, key) beyond which it begins; `backward`: above it."""

    account_id: int
    prefix: str = ""
    at: datetime | None = None
    baseline_at: datetime | None = None
    start: tuple[float | str, int] | None = None
    backward: bool = False
    limit: int = 51


class ListHead(NamedTuple):
    """What a page states about the whole list."""

    baseline_at: datetime | None
    head: int
    epoch: UUID
    complete: bool


def list_head(account_id: int) -> ListHead | None:
    """None before the account's first sync."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT baseline_at, head, epoch, complete FROM followersync_syncsettings"
            " WHERE account_id = %s",
            [account_id],
        )
        row = cursor.fetchone()
    return ListHead(*row) if row else None


def list_followers(listing: ListQuery) -> list[ListRow]:
    """At most `limit` rows, nearest to `start` first (so reversed when `backward`)."""
    by = "f.username" if listing.prefix else "f.place"
    ascending = bool(listing.prefix) is not listing.backward
    where, values = ["f.account_id = %(account)s"], values_of(listing)
    if listing.prefix:
        where.append("f.username LIKE %(like)s")
    if listing.start is not None:
        comparison = ">" if ascending else "<"
        where.append(f"({by}, f.key) {comparison} (%(order)s, %(key)s)")
        if not listing.prefix:
            where.append(f"f.place >> {BLOCK_BITS} {comparison}= %(order)s::bigint >> {BLOCK_BITS}")
    direction = "ASC" if ascending else "DESC"
    # By block, for which there is an index; within one PostgreSQL sorts.
    by_block = "" if listing.prefix else f"f.place >> {BLOCK_BITS} {direction}, "
    return fetch(
        f"SELECT {by}, f.key, f.username, f.since, f.first_seen_at, f.source,"  # noqa: S608
        " a.unconfirmed_since, a.beyond"
        " FROM followersync_follower f LEFT JOIN followersync_absence a"
        " ON a.account_id = f.account_id AND a.key = f.key"
        f" WHERE {' AND '.join(where)} ORDER BY {by_block}{by} {direction}, f.key {direction}"
        " LIMIT %(limit)s",
        values,
    )


def values_of(listing: ListQuery) -> dict[str, Any]:
    order, key = listing.start or (None, None)
    escaped = listing.prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {
        "account": listing.account_id,
        "at": listing.at,
        "like": f"{escaped}%",
        "order": order,
        "key": key,
        "limit": listing.limit,
    }


def fetch(statement: str, values: dict[str, Any]) -> list[ListRow]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [ListRow(*row) for row in cursor.fetchall()]
