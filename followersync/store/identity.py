"""Identity: re-keys people known by name alone to the Instagram id that became known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection


class Surrogate(NamedTuple):
    """A follower known by an archive alone; `since` in Unix seconds, None where unknown."""

    key: int
    username: str
    since: int | None


def has_surrogates(account_id: int) -> bool:
    """One lookup in the primary key, since it is called for every page."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM followersync_follower WHERE account_id = %s AND key < 0)",
            [account_id],
        )
        return bool(cursor.fetchone()[0])


def surrogates_named(account_id: int, usernames: Sequence[str]) -> list[Surrogate]:
    """The surrogates with one of `usernames` now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, username, extract(epoch FROM since)::bigint FROM followersync_follower"
            " WHERE account_id = %s AND username = ANY(%s::varchar[]) AND key < 0",
            [account_id, list(usernames)],
        )
        return [Surrogate(*row) for row in cursor]


def rekey(account_id: int, people: Sequence[tuple[int, int, int, bool]]) -> None:
    """(surrogate, id, place, sure): move the current row and past intervals to the id."""
    columns = [list(column) for column in zip(*people, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE followersync_follower f SET key = n.id, place = n.place, sure = n.sure,"
            " source = 1 FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[])"
            " AS n(key, id, place, sure) WHERE f.account_id = %s AND f.key = n.key",
            [*columns, account_id],
        )
    _take_over(account_id, columns[0], columns[1])


def merge(account_id: int, people: Sequence[tuple[int, int]]) -> None:
    """(surrogate, id) of people who are listed twice: one row remains, with the data of both."""
    columns = [list(column) for column in zip(*people, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH n AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS n(key, id)),"
            " gone AS (DELETE FROM followersync_follower f USING n"
            "  WHERE f.account_id = %s AND f.key = n.key RETURNING n.id, f.since)"
            " UPDATE followersync_follower f SET since = coalesce(f.since, gone.since)"
            " FROM gone WHERE f.account_id = %s AND f.key = gone.id",
            [*columns, account_id, account_id],
        )
    _take_over(account_id, columns[0], columns[1])


def _take_over(account_id: int, surrogates: list[int], ids: list[int]) -> None:
    """Past intervals move to the id; the absence ends, since the id was seen."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE followersync_pastfollow p SET key = n.id"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS n(key, id)"
            " WHERE p.account_id = %s AND p.key = n.key",
            [surrogates, ids, account_id],
        )
        cursor.execute(
            "DELETE FROM followersync_absence WHERE account_id = %s AND key = ANY(%s)",
            [account_id, surrogates],
        )
