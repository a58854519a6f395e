"""Due accounts, claimed fairly between members, and erasure of an account's rows in batches."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from followersync.domain import digest

# The tables of an account in the order of erasure: pages and lists first, and last the settings,
# whose row every writer of the others locks.
ERASABLE = (
    "scanpage",
    "absence",
    "follower",
    "pastfollow",
    "followerchange",
    "followersnapshot",
    "fullscan",
    "syncrun",
    "syncsettings",
)


def erase(table: str, account_id: int, limit: int) -> int:
    """Delete at most `limit` rows of one account from one of ERASABLE; returns how many."""
    if table not in ERASABLE:
        raise ValueError(f"{table} holds nothing of an account")
    name = f"followersync_{table}"
    with connection.cursor() as cursor:
        cursor.execute(
            # A ctid alone matches a row in each partition, and so rows of others too.
            f"DELETE FROM {name} WHERE account_id = %s AND ctid = ANY(ARRAY("  # noqa: S608
            f"SELECT ctid FROM {name} WHERE account_id = %s LIMIT %s))",
            [account_id, account_id, limit],
        )
        erased: int = cursor.rowcount
    return erased


def claim_due(now: datetime, limit: int, per_owner: int) -> list[int]:
    """Lock accounts that are due, in turn between members, at most `per_owner` of each.

    Rows that another dispatcher has locked are skipped. Call it in the transaction that opens their
    runs: an open run takes an account out of the due ones.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH due AS (SELECT s.account_id, s.next_due_at, row_number() OVER"
            "  (PARTITION BY a.owner_id ORDER BY s.next_due_at) AS turn"
            "  FROM followersync_syncsettings s JOIN accounts_linkedaccount a"
            "  ON a.id = s.account_id WHERE s.next_due_at <= %(now)s"
            "  AND a.unlinked_at IS NULL AND a.paused_at IS NULL"
            "  AND a.needs_reconnect_since IS NULL"
            "  AND NOT EXISTS (SELECT FROM followersync_syncrun r WHERE r.account_id = s.account_id"
            "   AND r.state IN ('queued', 'running', 'waiting'))),"
            " chosen AS (SELECT account_id FROM due WHERE turn <= %(turns)s"
            "  ORDER BY turn, next_due_at LIMIT %(limit)s)"
            " SELECT account_id FROM followersync_syncsettings"
            " WHERE account_id IN (SELECT account_id FROM chosen) AND next_due_at <= %(now)s"
            " FOR UPDATE SKIP LOCKED",
            {"now": now, "limit": limit, "turns": per_owner},
        )
        return [account_id for (account_id,) in cursor]


def recount(account_id: int, digest_key: bytes) -> tuple[int, str]:
    """(followers, digest) from the rows themselves, to check the running figures."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, username FROM followersync_follower WHERE account_id = %s", [account_id]
        )
        rows = cursor.fetchall()
    return len(rows), digest.to_hex(digest.total(digest_key, rows))
