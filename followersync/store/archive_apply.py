"""Applies the verdicts in `delta` (see `archive_compare`) to list, history and feed, in sets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from followersync.domain.archive_losses import Look
from followersync.domain.values import TIMES_KEPT, Proof
from followersync.models import Source

# Who remains in the list, and the verdicts with which people enter it.
LEAVES = "('lost')"
ENTERS = "('gained', 'found', 'returned')"

# The feed's order within one import: losses, then names, then additions.
_ENTRIES = (
    "SELECT key, username AS name, '' AS previous,"
    " CASE act WHEN 'came_back' THEN 'lost' ELSE act END AS kind,"
    " CASE act WHEN 'lost' THEN 1 WHEN 'came_back' THEN 1 WHEN 'returned' THEN 4"
    "  WHEN 'gained' THEN 5 WHEN 'found' THEN 6 ELSE 7 END AS turn, second FROM delta"
    " WHERE act IN ('lost', 'came_back', 'returned', 'gained', 'found', 'redated')"
    " UNION ALL SELECT key, new_name, username, 'renamed', 2, second FROM delta"
    "  WHERE act = 'renamed'"
    " UNION ALL SELECT key, username, '', 'returned', 3, second FROM delta"
    "  WHERE act = 'came_back'"
)

# As in `loss_evidence` for looks at a list; an export has no neighbours.
_EVIDENCE = (
    "jsonb_build_object('proof', CASE d.act WHEN 'lost' THEN %(lost)s ELSE %(came_back)s END,"
    " 'since', coalesce(extract(epoch FROM a.unconfirmed_since)::bigint, %(second)s),"
    " 'looks', to_jsonb(coalesce(a.look_times, '{}')"
    "  || CASE d.act WHEN 'lost' THEN ARRAY[%(second)s::bigint] ELSE '{}' END),"
    " 'above', NULL, 'below', NULL)"
)


def draw_keys() -> None:
    """Give each new person a surrogate key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delta SET key = nextval('followersync_surrogate')"  # noqa: S608
            f" WHERE key IS NULL AND act IN {ENTERS}"
        )


def write_list(account_id: int, at: datetime, look: Look) -> None:
    """Close the ended intervals with their evidence; then change, add and re-date followers.

    Before `write_absences`, which deletes the looks that missed them.
    """
    names: dict[str, Any] = {
        "account": account_id,
        "at": at,
        "source": int(Source.ARCHIVE),
        "second": look.latest,
        "lost": Proof.EXPORT,
        "came_back": Proof.FOLLOWED_ANEW,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO followersync_pastfollow"  # noqa: S608  constants only
            " (account_id, key, valid_to, valid_from, since, source, username, evidence)"
            " SELECT f.account_id, f.key, %(at)s, f.first_seen_at, f.since, f.source, f.username,"
            f" {_EVIDENCE}"
            " FROM followersync_follower f JOIN delta d ON d.key = f.key"
            " LEFT JOIN followersync_absence a ON a.account_id = f.account_id AND a.key = f.key"
            " WHERE f.account_id = %(account)s AND d.act IN ('lost', 'came_back')",
            names,
        )
        cursor.execute(
            "DELETE FROM followersync_follower f USING delta d"
            " WHERE f.account_id = %(account)s AND f.key = d.key AND d.act = 'lost'",
            names,
        )
        cursor.execute(
            "UPDATE followersync_follower f SET username = d.new_name FROM delta d"
            " WHERE f.account_id = %(account)s AND f.key = d.key AND d.act = 'renamed'",
            names,
        )
        cursor.execute(
            "UPDATE followersync_follower f SET since = to_timestamp(d.second),"
            " place = CASE WHEN f.key < 0 THEN d.second << 12 ELSE f.place END,"
            " first_seen_at = CASE d.act WHEN 'came_back' THEN %(at)s ELSE f.first_seen_at END"
            " FROM delta d WHERE f.account_id = %(account)s AND f.key = d.key"
            " AND d.act IN ('redated', 'came_back')",
            names,
        )
        cursor.execute(
            "INSERT INTO followersync_follower"  # noqa: S608  constants only
            " (account_id, key, place, first_seen_at, since, source, sure, username)"
            " SELECT %(account)s, key, coalesce(second, 0) << 12,"
            "  %(at)s, to_timestamp(second), %(source)s, false, username"
            f" FROM delta WHERE act IN {ENTERS} ORDER BY key",
            names,
        )


def write_absences(account_id: int, look: Look) -> int:
    """Store who is unconfirmed, delete who is seen again; returns how many are unconfirmed."""
    moments: dict[str, Any] = {
        "account": account_id,
        "latest": datetime.fromtimestamp(look.latest, UTC),
        "earliest": datetime.fromtimestamp(look.earliest or 0, UTC),
        "shows": look.shows,
        "second": look.latest,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM followersync_absence a WHERE a.account_id = %(account)s AND (EXISTS"
            "  (SELECT FROM delta d WHERE d.key = a.key AND d.act IN ('lost', 'renamed'))"
            " OR (%(shows)s AND a.last_at <= %(earliest)s AND NOT EXISTS"
            "  (SELECT FROM delta d WHERE d.key = a.key AND NOT d.listed)))",
            moments,
        )
        cursor.execute(
            "INSERT INTO followersync_absence"  # noqa: S608  constants only
            " (account_id, key, unconfirmed_since, looks, witnessed, last_at, look_times)"
            " SELECT %(account)s, key, %(latest)s, (act = 'missed')::int, (act = 'missed')::int,"
            "  %(latest)s, CASE act WHEN 'missed' THEN ARRAY[%(second)s::bigint] ELSE '{}' END"
            " FROM delta WHERE act IN ('missed', 'shown', 'doubtful', 'block')"
            " ON CONFLICT (account_id, key) DO UPDATE SET"
            " looks = followersync_absence.looks + excluded.looks,"
            " witnessed = followersync_absence.witnessed + excluded.witnessed,"
            " look_times = CASE excluded.looks WHEN 0 THEN followersync_absence.look_times ELSE"
            f"  followersync_absence.look_times[:{TIMES_KEPT - 1}] || excluded.look_times END,"
            " last_at = CASE excluded.looks WHEN 0 THEN followersync_absence.last_at"
            "  ELSE excluded.last_at END",
            moments,
        )
        cursor.execute(
            "SELECT count(*) FROM followersync_absence WHERE account_id = %s", [account_id]
        )
        unconfirmed: int = cursor.fetchone()[0]
    return unconfirmed


def count_verdicts() -> dict[str, int]:
    """How many were given each verdict."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT act, count(*) FROM delta WHERE act IS NOT NULL GROUP BY act")
        return dict(cursor.fetchall())


def changed_rows() -> Iterator[tuple[bool, int, str]]:
    """(entered, key, name) of each row that the list gains or loses, for its digest."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT true, key, username FROM delta WHERE act IN {ENTERS}"  # noqa: S608
            f" UNION ALL SELECT false, key, username FROM delta WHERE act IN {LEAVES}"
            " UNION ALL SELECT true, key, new_name FROM delta WHERE act = 'renamed'"
            " UNION ALL SELECT false, key, username FROM delta WHERE act = 'renamed'"
        )
        while rows := cursor.fetchmany(10_000):
            yield from rows


def append_feed(account_id: int, head: int, at: datetime) -> int:
    """Write the entries after `head`; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO followersync_followerchange (account_id, position, key, at, kind,"  # noqa: S608
            " username, previous_username)"
            " SELECT %s, %s + row_number() OVER (ORDER BY turn, second, key), key, %s, kind,"
            f" name, previous FROM ({_ENTRIES}) e",
            [account_id, head, at],
        )
        return int(cursor.rowcount)
