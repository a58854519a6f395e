"""Known members: the statement that finds other members in an account's lists.

Besides our own tables it reads consent in force and the state of links. That is read after the
lists, so that the ledger is read only for the people found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from accounts.selectors.consent_in_force import in_force_sql


class KnownMemberRow(NamedTuple):
    """Another member's account. From `key` on: its row in the list; None where it has none.

    `rank` begins with 0 where both follow each other and with 1 elsewhere; the username follows.
    """

    rank: str
    account_id: int
    username: str
    you_follow: bool
    key: int | None
    listed_as: str | None
    since: datetime | None
    first_seen_at: datetime | None
    source: int | None
    unconfirmed_since: datetime | None
    beyond: bool | None


@dataclass(frozen=True, slots=True)
class KnownMembersQuery:
    """`followers_only`: without those whom the account follows and who do not follow it.

    `prefix`: of the name in the list. `start`: the (rank, account id) after which to continue.
    """

    account_id: int
    followers_only: bool = False
    prefix: str = ""
    start: tuple[str, int] | None = None
    limit: int = 51


# Proven, linked, not paused, of a member who may sign in and has consented.
TO_BE_SEEN = (
    "a.kind = 'oauth' AND a.unlinked_at IS NULL AND a.paused_at IS NULL"
    " AND EXISTS (SELECT FROM accounts_user u WHERE u.id = a.owner_id AND u.is_active) AND "
) + in_force_sql("a.id", "'discoverable'")

READS = in_force_sql("a.id", "'followers'")

# `reads`: a list that is only kept after a withdrawal shows nothing.
ITSELF = (
    "itself AS MATERIALIZED (SELECT a.owner_id, a.instagram_number AS number,"  # noqa: S608
    f" {READS} AS reads"
    f" FROM accounts_linkedaccount a WHERE a.id = %(account)s AND {TO_BE_SEEN})"
)
FOLLOWING_IT = (
    "SELECT a.id FROM itself JOIN followersync_follower f ON f.account_id = %(account)s"
    " JOIN accounts_linkedaccount a ON a.instagram_number = f.key AND a.unlinked_at IS NULL"
    " WHERE itself.reads"
)
FOLLOWED_BY_IT = (
    "SELECT a.id FROM itself JOIN accounts_linkedaccount a ON a.unlinked_at IS NULL"
    " JOIN followersync_follower f ON f.account_id = a.id AND f.key = itself.number"
)
SEEN = (
    "seen AS MATERIALIZED (SELECT a.id, a.username, a.instagram_number AS number,"  # noqa: S608
    " EXISTS (SELECT FROM followersync_follower f"
    "  WHERE f.account_id = a.id AND f.key = itself.number)"
    f"  AND {READS} AS you_follow"
    " FROM itself, met JOIN accounts_linkedaccount a ON a.id = met.id"
    f" WHERE a.owner_id <> itself.owner_id AND {TO_BE_SEEN})"
)
RANKED = (
    "ranked AS (SELECT"
    " (CASE WHEN seen.you_follow AND f.key IS NOT NULL THEN '0' ELSE '1' END"
    '  || lower(seen.username)) COLLATE "C" AS rank,'
    " seen.id, seen.username, seen.you_follow, f.key, f.username AS listed_as, f.since,"
    " f.first_seen_at, f.source, b.unconfirmed_since, b.beyond FROM itself CROSS JOIN seen"
    " LEFT JOIN followersync_follower f"
    "  ON f.account_id = %(account)s AND f.key = seen.number AND itself.reads"
    " LEFT JOIN followersync_absence b ON b.account_id = %(account)s AND b.key = seen.number"
    " WHERE {where})"
)


def list_known_members(meeting: KnownMembersQuery) -> list[KnownMemberRow]:
    """At most `limit`, by rank and account id; empty if the account is not discoverable."""
    met = [FOLLOWING_IT] if meeting.followers_only else [FOLLOWING_IT, FOLLOWED_BY_IT]
    where = "seen.you_follow OR f.key IS NOT NULL"
    if meeting.followers_only:
        where = "f.key IS NOT NULL AND starts_with(f.username, %(prefix)s)"
    statement = (
        f"WITH {ITSELF}, met AS MATERIALIZED ({' UNION '.join(met)}), {SEEN},"  # noqa: S608
        f" {RANKED.format(where=where)} SELECT * FROM ranked"
        + (" WHERE (rank, id) > (%(rank)s, %(id)s)" if meeting.start else "")
        + " ORDER BY rank, id LIMIT %(limit)s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, _values(meeting))
        return [KnownMemberRow(*row) for row in cursor]


def _values(meeting: KnownMembersQuery) -> dict[str, Any]:
    rank, account_id = meeting.start or ("", 0)
    return {
        "account": meeting.account_id,
        "prefix": meeting.prefix,
        "rank": rank,
        "id": account_id,
        "limit": meeting.limit,
    }
