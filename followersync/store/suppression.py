"""Suppression: removes a person who is no member from lists, past intervals and feeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

# By account and key, so that each account's primary key or name index is used, never a table scan;
# past names have no index, and are scanned.
_ROWS_OF_PERSON = """
SELECT f.account_id, f.key FROM accounts_linkedaccount a
JOIN followersync_follower f ON f.account_id = a.id AND (f.key = %(key)s OR f.username = %(name)s)
UNION
SELECT account_id, key FROM followersync_pastfollow WHERE key = %(key)s OR username = %(name)s
UNION
SELECT account_id, key FROM followersync_followerchange
WHERE key = %(key)s OR username = %(name)s OR previous_username = %(name)s
LIMIT %(limit)s
"""
_DATA_ABOUT_PERSON = """
SELECT 'follower' AS kind, f.username, f.since, f.first_seen_at, NULL::timestamptz
FROM accounts_linkedaccount a
JOIN followersync_follower f ON f.account_id = a.id AND (f.key = %(key)s OR f.username = %(name)s)
UNION ALL
SELECT 'past', username, since, valid_from, valid_to FROM followersync_pastfollow
WHERE key = %(key)s OR username = %(name)s
UNION ALL
SELECT 'change', username, NULL, at, NULL FROM followersync_followerchange
WHERE key = %(key)s OR username = %(name)s OR previous_username = %(name)s
"""


_EVERYBODY = """
SELECT key, username FROM followersync_follower
UNION ALL SELECT key, username FROM followersync_pastfollow
UNION ALL SELECT key, username FROM followersync_followerchange WHERE username <> ''
UNION ALL SELECT key, previous_username FROM followersync_followerchange
WHERE previous_username <> ''
"""


class PersonRow(NamedTuple):
    """One list or interval with the person, without the account."""

    kind: str
    username: str
    since: datetime | None
    first_seen_at: datetime | None
    until: datetime | None


def rows_of_person(key: int | None, name: str | None, limit: int) -> list[tuple[int, int]]:
    """(account id, key) of the rows of a person, at most `limit`."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS_OF_PERSON, {"key": key, "name": name, "limit": limit})
        return list(cursor.fetchall())


def data_about_person(key: int | None, name: str | None) -> list[PersonRow]:
    """What is stored about a person."""
    with connection.cursor() as cursor:
        cursor.execute(_DATA_ABOUT_PERSON, {"key": key, "name": name})
        return [PersonRow(*row) for row in cursor]


def everybody() -> Iterator[tuple[int, str]]:
    """(key, name) of everybody in any list, past list or feed, streamed; earlier names too."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_EVERYBODY)
        while rows := cursor.fetchmany(5_000):
            yield from rows


def drop(account_id: int, keys: Sequence[int]) -> list[tuple[int, str]]:
    """Delete the people's rows of one account; returns (key, name) of current followers."""
    given: dict[str, Any] = {"account": account_id, "keys": list(keys)}
    where = "account_id = %(account)s AND key = ANY(%(keys)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM followersync_follower WHERE {where} RETURNING key, username",  # noqa: S608
            given,
        )
        followed = list(cursor.fetchall())
        for table in ("absence", "pastfollow"):
            cursor.execute(f"DELETE FROM followersync_{table} WHERE {where}", given)  # noqa: S608
        cursor.execute(
            "UPDATE followersync_scanpage SET keys = ARRAY(SELECT k FROM unnest(keys)"
            " WITH ORDINALITY u(k, n) WHERE k <> ALL(%(keys)s) ORDER BY n)"
            " WHERE account_id = %(account)s AND keys && %(keys)s::bigint[]",
            given,
        )
    return followed


def tombstone(account_id: int, keys: Sequence[int]) -> int:
    """Remove name and key from the people's feed entries, which stay; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE followersync_followerchange SET key = 0, previous_key = NULL, username = '',"
            " previous_username = '' WHERE account_id = %s AND key = ANY(%s)",
            [account_id, list(keys)],
        )
        return int(cursor.rowcount)
