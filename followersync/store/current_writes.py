"""Writes to the current list, closed intervals and the feed, in sets.

The feed's positions come from one `UPDATE … SET head = head + n RETURNING head` in the writing
transaction: gapless, and in order, since the row stays locked until the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from django.db import connection

from followersync.domain.values import Added, AddedKind, Moved, Renamed
from followersync.models import ChangeKind, Source
from followersync.store.literals import bigints

# Below this, one INSERT over unnested arrays is faster than the start of a COPY.
COPY_FROM = 200

FOLLOWER_COLUMNS = "account_id, key, place, first_seen_at, since, source, sure, username"


Row = tuple[int, int, int, datetime | None, datetime | None, int, bool, str]


class EndedInterval(NamedTuple):
    """A lost person: key, and name at the end."""

    key: int
    username: str


class FeedEntry(NamedTuple):
    """One entry of the feed to write."""

    kind: str
    key: int
    username: str
    previous_username: str = ""
    previous_key: int | None = None


def lost_before(account_id: int, keys: Sequence[int]) -> set[int]:
    """Those of `keys` who followed once and were lost."""
    if not keys:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT key FROM followersync_pastfollow"
            " WHERE account_id = %s AND key = ANY(%s::bigint[])",
            [account_id, bigints(keys)],
        )
        return {key for (key,) in cursor}


def add(account_id: int, people: Sequence[Added], at: datetime) -> list[FeedEntry]:
    """Insert followers; the baseline enters no feed, and its follow dates are unknown.

    The follow date of a person we `found` is unknown too: they followed before we looked.
    """
    rows: list[Row] = [
        (
            account_id,
            each.key,
            each.place,
            None if each.kind is AddedKind.BASELINE else at,
            None if each.kind in (AddedKind.BASELINE, AddedKind.FOUND) else at,
            int(Source.EDGE),
            each.sure,
            each.username,
        )
        for each in people
    ]
    _insert_followers(rows)
    # Lists are newest first, the feed is oldest first.
    return [
        FeedEntry(each.kind.value, each.key, each.username)
        for each in reversed(people)
        if each.kind is not AddedKind.BASELINE
    ]


def _insert_followers(rows: list[Row]) -> None:
    if len(rows) >= COPY_FROM:
        # In the order of the list, so that a page of it is contiguous in the table too.
        rows.sort(key=itemgetter(2), reverse=True)
        statement = f"COPY followersync_follower ({FOLLOWER_COLUMNS}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    elif rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO followersync_follower ({FOLLOWER_COLUMNS})"  # noqa: S608
                " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[],"
                " %s::timestamptz[], %s::timestamptz[], %s::smallint[], %s::boolean[], %s::text[])",
                columns,
            )


def rename(account_id: int, people: Sequence[Renamed]) -> list[FeedEntry]:
    """Change the names of followers; feed entries keep their earlier names."""
    if people:
        last = {each.key: each.username for each in people}
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE followersync_follower f SET username = n.username"
                " FROM unnest(%s::bigint[], %s::text[]) AS n(key, username)"
                " WHERE f.account_id = %s AND f.key = n.key",
                [list(last), list(last.values()), account_id],
            )
    return [FeedEntry(ChangeKind.RENAMED.value, p.key, p.username, p.previous) for p in people]


def move(account_id: int, people: Sequence[Moved]) -> None:
    """Change places; no act of the person's, so no feed entry."""
    if not people:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE followersync_follower f SET place = n.place, sure = n.sure"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[]) AS n(key, place, sure)"
            " WHERE f.account_id = %s AND f.key = n.key",
            [
                [p.key for p in people],
                [p.place for p in people],
                [p.sure for p in people],
                account_id,
            ],
        )


def lose(account_id: int, keys: Sequence[int], at: datetime) -> list[EndedInterval]:
    """Close the intervals of `keys` at `at` and delete them from the current list."""
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM followersync_follower"
            "  WHERE account_id = %s AND key = ANY(%s) RETURNING *),"
            " unabsent AS (DELETE FROM followersync_absence a USING gone g"
            "  WHERE a.account_id = g.account_id AND a.key = g.key)"
            " INSERT INTO followersync_pastfollow"
            "  (account_id, key, valid_to, valid_from, since, source, username)"
            " SELECT account_id, key, %s, first_seen_at, since, source, username FROM gone"
            " RETURNING key, username",
            [account_id, list(keys), at],
        )
        return [EndedInterval(key, username) for key, username in cursor]


def raise_head(
    account_id: int,
    entries: int,
    followers: int,
    digest: str,
    at: datetime,
    *,
    is_baseline: bool = False,
) -> int:
    """Take `entries` positions and add `followers` to the count; returns the last position.

    `is_baseline`: people were added without feed entries. An earlier copy of the list cannot be
    updated by the feed, so a new epoch begins.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE followersync_syncsettings SET head = head + %s,"
            " followers_count = followers_count + %s, digest = %s, last_change_at = %s,"
            " epoch = CASE WHEN %s THEN gen_random_uuid() ELSE epoch END"
            " WHERE account_id = %s RETURNING head",
            [entries, followers, digest, at, is_baseline, account_id],
        )
        head: int = cursor.fetchone()[0]
    return head


def append(account_id: int, entries: Iterable[FeedEntry], at: datetime, *, head: int) -> None:
    """Write `entries` so that the last of them is at `head`."""
    listed = list(entries)
    if not listed:
        return
    first = head - len(listed) + 1
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO followersync_followerchange (account_id, position, key, at,"
            " previous_key, kind, username, previous_username)"
            " SELECT %s, n.position, n.key, %s, n.previous_key, n.kind, n.username, n.previous"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[],"
            " %s::text[]) AS n(position, key, previous_key, kind, username, previous)",
            [
                account_id,
                at,
                list(range(first, head + 1)),
                [e.key for e in listed],
                [e.previous_key for e in listed],
                [e.kind for e in listed],
                [e.username for e in listed],
                [e.previous_username for e in listed],
            ],
        )
