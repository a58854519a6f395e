"""Follower lists of archives: staged by COPY, compared with the stored list in one join.

All of it happens in one transaction of the caller's, in tables that end with it: `incoming` is
the archive, `delta` holds whoever differs, with the verdict in `act`. Only figures leave the
database, so that the memory does not grow with the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
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
    """Figures of a comparison: people listed, held, and held but older than the archive."""

    listed: int
    held: int
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
    """Fill `delta` with whoever is on one side only, or dated otherwise on both.

    Only among those who differ are repeated names gathered: of a whole list it takes as long as
    the comparison. Who differs by none of their rows does not differ by the newest.

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
        held, absent, older, oldest_listed = cursor.fetchone()
    return Staged(held - absent + newcomers, held, older, bool(oldest_listed), newcomers, undated)


def match_renames(*, edge_older: bool, nameless: Sequence[int]) -> int:
    """Take one absent and one unknown name with the same follow second for one person.

    Only where exactly one such pair fits. `edge_older`: people known by id may be renamed too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH absent AS (SELECT since, min(key) AS key FROM delta"
            "  WHERE key IS NOT NULL AND NOT listed AND since IS NOT NULL"
            "  GROUP BY since HAVING count(*) = 1),"
            " unknown AS (SELECT second, min(username) AS username FROM delta"
            "  WHERE key IS NULL AND second IS NOT NULL GROUP BY second HAVING count(*) = 1),"
            " pairs AS (SELECT a.key, u.username FROM absent a JOIN unknown u ON u.second = a.since"
            "  WHERE (a.key < 0 OR %s) AND a.since <> ALL(%s::bigint[])),"
            " taken AS (UPDATE delta d SET act = 'taken' FROM pairs p"
            "  WHERE d.key IS NULL AND d.username = p.username)"
            " UPDATE delta d SET act = 'renamed', new_name = p.username FROM pairs p"
            " WHERE d.key = p.key",
            [edge_older, list(nameless)],
        )
        return int(cursor.rowcount)


def _same(one: str, other: str) -> str:
    """SQL: both may be one and the same follow; a time on a full minute may be a rounded one."""
    return (
        f"{one} / 60 = {other} / 60 AND ({one} = {other} OR %(minute)s"
        f" OR {one} %% 60 = 0 OR {other} %% 60 = 0)"
    )


def judge_absent(
    account_id: int, ranges: Sequence[tuple[int, int]], *, nameless: Sequence[int], minute: bool
) -> None:
    """Mark as `lost` whom one part shows people on both sides of, and not them.

    Only people known by an archive's name alone. Somebody whose follow second is shared by a name
    that came later, or by somebody renamed later, may bear that name now: they are `doubtful`, and
    never lost by an archive.
    `minute`: the archive's times are rounded down to it.
    """
    slack = 60 if minute else 0
    doubtful = (
        "UPDATE delta d SET act = 'doubtful' FROM {others}"
        " WHERE d.key < 0 AND NOT d.listed AND d.act IS NULL AND {shares}"
    )
    with connection.cursor() as cursor:
        # One join each: joined by OR they would be asked anew for every absent person.
        cursor.execute(
            doubtful.format(
                others="delta n", shares=f"n.key IS NULL AND {_same('n.second', 'd.since')}"
            ),
            {"minute": minute},
        )
        cursor.execute(
            doubtful.format(
                others="unnest(%(nameless)s::bigint[]) AS n(second)",
                shares=_same("n.second", "d.since"),
            ),
            {"minute": minute, "nameless": list(nameless)},
        )
        # A surrogate's place is its follow second, twelve bits up; the index knows stretches.
        minute_places = 60 << 12
        cursor.execute(
            doubtful.format(
                others="followersync_follower g",
                shares="g.account_id = %(account)s AND g.key < 0 AND g.key <> d.key"
                " AND (g.place >> 26) = ANY (ARRAY[(d.place - %(near)s) >> 26, d.place >> 26,"
                f" (d.place + %(near)s) >> 26]) AND {_same('(g.place >> 12)', 'd.since')}"
                " AND (g.first_seen_at > coalesce(d.first_seen_at, '-infinity')"
                "  OR EXISTS (SELECT FROM followersync_followerchange c"
                "   WHERE c.account_id = g.account_id AND c.key = g.key AND c.kind = 'renamed'"
                "   AND c.at > coalesce(d.first_seen_at, '-infinity')))",
            ),
            {"account": account_id, "minute": minute, "near": minute_places},
        )
        cursor.execute(
            "UPDATE delta d SET act = 'lost'"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS part(oldest, newest)"
            " WHERE d.key < 0 AND NOT d.listed AND d.act IS NULL"
            " AND d.since > part.oldest + %s AND d.since < part.newest",
            [[oldest for oldest, _ in ranges], [newest for _, newest in ranges], slack],
        )


def judge_waiting(account_id: int, at: datetime, *, looks: int, seconds: int) -> None:
    """Mark as `lost` who was missing in so many whole looks over so long; else `unconfirmed`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delta d SET act = CASE WHEN EXISTS (SELECT FROM followersync_absence a"
            "  WHERE a.account_id = %(account)s AND a.key = d.key AND a.looks + 1 >= %(looks)s"
            "  AND a.unconfirmed_since <= %(at)s - make_interval(secs => %(seconds)s))"
            " THEN 'lost' ELSE 'unconfirmed' END"
            " WHERE d.key < 0 AND NOT d.listed AND d.act IS NULL",
            {"account": account_id, "looks": looks, "at": at, "seconds": seconds},
        )


def judge_dates(*, newer: bool, minute: bool, looked: int | None, until: int) -> None:
    """Mark who is dated otherwise: `came_back` or `redated`, or leave them as they are.

    A newer follow than the last look knew (`looked`, its earliest possible second) is a new
    follow: they left and came back. `until` is the last second of which the archive can speak.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delta SET act = CASE"
            " WHEN since IS NULL THEN 'redated'"
            " WHEN %(minute)s THEN NULL"
            " WHEN key < 0 AND %(newer)s AND second > since AND second > %(looked)s"
            "  AND since %% 60 <> 0 THEN 'came_back'"
            " WHEN key < 0 AND %(newer)s THEN 'redated'"
            " WHEN key > 0 AND second < since AND since <= %(until)s THEN 'redated'"
            " WHEN key > 0 AND %(newer)s AND second > since AND first_seen_at IS NULL"
            "  THEN 'redated' END"
            " WHERE key IS NOT NULL AND listed AND second IS NOT NULL",
            {"newer": newer, "minute": minute, "looked": looked or 0, "until": until},
        )


def admit(
    account_id: int,
    *,
    baseline: bool,
    newer: bool,
    known_until: int | None,
    only_after: int | None,
    covered: Sequence[tuple[int, int]],
) -> None:
    """Say of each unknown name whether it enters the list, and as what.

    `known_until`: who followed later is `gained`, who followed earlier was there and is `found`.
    `only_after`: the edge looked then and is whole, so earlier names are its business.
    `covered`: spans of follow seconds in which a newer archive showed everybody.
    """
    with connection.cursor() as cursor:
        if not newer:
            # An older archive's unknown name may be the earlier one of somebody we know.
            cursor.execute(
                "UPDATE delta d SET known = true FROM (SELECT extract(epoch FROM since)::bigint"  # noqa: S608
                "  AS second FROM followersync_follower WHERE account_id = %(account)s) g"
                f" WHERE d.key IS NULL AND {_same('g.second', 'd.second')}",
                {"account": account_id, "minute": False},
            )
        cursor.execute(
            "UPDATE delta d SET act = CASE WHEN %(baseline)s THEN 'baseline'"
            " WHEN %(after)s::bigint IS NOT NULL AND coalesce(second, 0) <= %(after)s::bigint"
            "  THEN NULL"
            " WHEN %(newer)s AND coalesce(second, 0) > %(known)s THEN 'gained'"
            " WHEN %(newer)s THEN 'found'"
            " WHEN second IS NOT NULL AND NOT known AND NOT EXISTS (SELECT FROM"
            "  unnest(%(oldest)s::bigint[], %(newest)s::bigint[]) AS part(oldest, newest)"
            "  WHERE second BETWEEN part.oldest AND part.newest) THEN 'found' END"
            " WHERE key IS NULL AND act IS NULL",
            {
                "baseline": baseline,
                "newer": newer,
                "after": only_after,
                "known": known_until or 0,
                "oldest": [oldest for oldest, _ in covered],
                "newest": [newest for _, newest in covered],
            },
        )
        # Somebody lost under the same name, known by that name alone, is taken for the same.
        cursor.execute(
            "WITH past AS (SELECT DISTINCT ON (p.username) p.username, p.key"
            "  FROM followersync_pastfollow p JOIN delta d ON d.username = p.username"
            "  AND d.key IS NULL AND d.act IN ('gained', 'found')"
            "  WHERE p.account_id = %(account)s AND p.key < 0 AND NOT EXISTS"
            "   (SELECT FROM followersync_follower f WHERE f.account_id = %(account)s"
            "    AND f.key = p.key) ORDER BY p.username, p.valid_to DESC)"
            " UPDATE delta d SET key = past.key, act = 'returned' FROM past"
            " WHERE d.key IS NULL AND d.username = past.username",
            {"account": account_id},
        )
