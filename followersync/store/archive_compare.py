"""Comparison of an archive, staged by COPY, with the stored list, in one join.

It uses the caller's transaction and temporary tables: `incoming` is the archive, `delta` holds the
differences, with the verdict in `act`. Only figures leave the database, so memory does not grow
with the list.
"""

from __future__ import annotations

from typing import IO, NamedTuple

from django.db import connection

CHUNK = 1 << 18

_DELTA = """
CREATE TEMPORARY TABLE delta ON COMMIT DROP AS
WITH differing AS MATERIALIZED (
    SELECT f.key, coalesce(f.username, i.username) AS username, f.since, f.first_seen_at, f.place
    FROM incoming i
    FULL JOIN (SELECT * FROM followersync_follower WHERE account_id = %s) f
        ON f.username = i.username
    WHERE f.key IS NULL OR i.username IS NULL OR f.since IS DISTINCT FROM to_timestamp(i.second)),
newest AS (
    SELECT username, max(second) AS second FROM incoming
    WHERE username IN (SELECT username FROM differing) GROUP BY username)
SELECT DISTINCT ON (d.username, d.key) d.key, d.username,
    extract(epoch FROM d.since)::bigint AS since, d.first_seen_at, d.place,
    n.second, n.username IS NOT NULL AS listed, NULL::text AS act,
    NULL::varchar(120) AS new_name, false AS known
FROM differing d LEFT JOIN newest n ON n.username = d.username
WHERE d.key IS NULL OR n.username IS NULL OR d.since IS DISTINCT FROM to_timestamp(n.second)
"""


class Staged(NamedTuple):
    """Figures of a comparison: people listed, stored, and stored but older than the archive."""

    listed: int
    stored: int
    older: int
    oldest_listed: bool
    newcomers: int
    undated_newcomers: int


def stage(spool: IO[bytes]) -> None:
    """Load lines of `username TAB second` (empty where unknown) into `incoming`."""
    with connection.cursor() as cursor:
        # A hash over a million names fits; more of them spill to disk.
        cursor.execute("SET LOCAL work_mem = '96MB'")
        cursor.execute("DROP TABLE IF EXISTS pg_temp.incoming, pg_temp.delta")
        cursor.execute(
            'CREATE TEMPORARY TABLE incoming (username varchar(120) COLLATE "C", second bigint)'
            " ON COMMIT DROP"
        )
        with cursor.copy("COPY incoming FROM STDIN (NULL '')") as copy:
            while chunk := spool.read(CHUNK):
                copy.write(chunk)


def compare(account_id: int, oldest: int | None) -> Staged:
    """Fill `delta` with people on one side only, or dated otherwise on both.

    Repeated names are grouped only among the differences, since grouping a whole list takes as long
    as the comparison. Rows that all agree agree in the newest one too.

    `oldest`: the archive's oldest follow second. Repeated names count once, with the newest one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DELTA, [account_id])
        cursor.execute("ANALYZE delta")
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE second IS NULL) FROM delta WHERE key IS NULL"
        )
        newcomers, undated = cursor.fetchone()
        cursor.execute(
            "SELECT (SELECT count(*) FROM followersync_follower WHERE account_id = %(account)s),"
            " (SELECT count(*) FROM delta WHERE key IS NOT NULL AND NOT listed),"
            " (SELECT count(*) FROM delta WHERE NOT listed AND since < %(oldest)s),"
            " (SELECT NOT EXISTS (SELECT FROM delta d WHERE NOT d.listed AND d.since = o.oldest)"
            "  FROM (SELECT extract(epoch FROM min(since))::bigint AS oldest"
            "   FROM followersync_follower WHERE account_id = %(account)s) o"
            "  WHERE o.oldest IS NOT NULL)",
            {"account": account_id, "oldest": oldest},
        )
        stored, absent, older, oldest_listed = cursor.fetchone()
    return Staged(
        stored - absent + newcomers, stored, older, bool(oldest_listed), newcomers, undated
    )


class Dated(NamedTuple):
    """Shared people with another date; the most of them who have the same new date."""

    redated: int
    lump: int


class Missing(NamedTuple):
    """As in `Comparison`, for people whom only doubt or a block may keep from being missed."""

    missing: int
    fresh: int
    blocked: int
    found: int


def same_follow(one: str, other: str) -> str:
    """SQL: whether both may be the same follow; a time on a full minute may be a rounded one."""
    return (
        f"{one} / 60 = {other} / 60 AND ({one} = {other} OR %(minute)s"
        f" OR {one} %% 60 = 0 OR {other} %% 60 = 0)"
    )


def count_redated(*, minute: bool) -> Dated:
    """`minute`: the archive's times are rounded down to it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH changed AS (SELECT second, count(*) AS people FROM delta"  # noqa: S608
            "  WHERE key IS NOT NULL AND listed AND since IS NOT NULL AND second IS NOT NULL"
            f"  AND NOT ({same_follow('since', 'second')}) GROUP BY second)"
            " SELECT coalesce(sum(people), 0), coalesce(max(people), 0) FROM changed",
            {"minute": minute},
        )
        redated, lump = cursor.fetchone()
    return Dated(int(redated), lump)


def count_missing(account_id: int, looked: int | None) -> Missing:
    """The missing people; `looked`: the earliest possible moment of the last archive."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE missing),"
            " count(*) FILTER (WHERE missing AND a.key IS NULL),"
            " count(*) FILTER (WHERE missing AND a.key IS NULL AND act = 'block'),"
            " count(*) FILTER (WHERE d.key IS NULL AND act IS NULL"
            "  AND coalesce(second, 0) <= %(looked)s)"
            " FROM (SELECT *, key IS NOT NULL AND NOT listed"
            "  AND coalesce(act, '') NOT IN ('renamed', 'outside') AS missing FROM delta) d"
            " LEFT JOIN followersync_absence a ON a.account_id = %(account)s AND a.key = d.key",
            {"account": account_id, "looked": looked or 0},
        )
        return Missing(*cursor.fetchone())
