"""SQL twin of the verdicts of `domain.archive_people`, over the rows of `delta`.

A property test compares the two. For `delta` see `archive_compare`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection

from followersync.domain.archive_losses import LOOKS, Look, Redating
from followersync.store.archive_compare import same_follow

MISSING = "d.key IS NOT NULL AND NOT d.listed AND d.act IS NULL"


def match_renames(*, edge_older: bool, nameless: Sequence[int]) -> int:
    """Mark an absent and an unknown name with the same follow second as one renamed person.

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


def mark_outside(ranges: Sequence[tuple[int, int]], *, minute: bool) -> None:
    """Mark people without others on both sides in one part: it may not reach them.

    `minute`: the archive's times are rounded down to it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE delta d SET act = 'outside' WHERE {MISSING} AND NOT EXISTS (SELECT"  # noqa: S608
            " FROM unnest(%s::bigint[], %s::bigint[]) AS part(oldest, newest)"
            " WHERE d.since > part.oldest + %s AND d.since < part.newest)",
            [[low for low, _ in ranges], [high for _, high in ranges], 60 if minute else 0],
        )


def mark_doubtful(
    account_id: int, *, nameless: Sequence[int], minute: bool, baseline_at: datetime | None
) -> None:
    """Mark as `doubtful` people who may have another name now.

    Their follow second is shared by a name that came later, or by a person renamed later.
    """
    doubtful = f"UPDATE delta d SET act = 'doubtful' FROM {{others}} WHERE {MISSING} AND {{shares}}"  # noqa: S608
    with connection.cursor() as cursor:
        # One join each: joined by OR they would be evaluated for every absent person.
        cursor.execute(
            doubtful.format(
                others="delta n", shares=f"n.key IS NULL AND {same_follow('n.second', 'd.since')}"
            ),
            {"minute": minute},
        )
        cursor.execute(
            doubtful.format(
                others="unnest(%(nameless)s::bigint[]) AS n(second)",
                shares=same_follow("n.second", "d.since"),
            ),
            {"minute": minute, "nameless": list(nameless)},
        )
        # A surrogate's place is its follow second, twelve bits up; the index has blocks.
        cursor.execute(
            doubtful.format(
                others="followersync_follower g",
                shares="g.account_id = %(account)s AND g.key < 0 AND g.key <> d.key"
                " AND g.since IS NOT NULL AND (g.place >> 26) = ANY (ARRAY["
                "((d.since << 12) - %(near)s) >> 26, (d.since << 12) >> 26,"
                " ((d.since << 12) + %(near)s) >> 26])"
                f" AND {same_follow('(g.place >> 12)', 'd.since')}"
                " AND (g.first_seen_at > coalesce(d.first_seen_at, '-infinity')"
                "  OR EXISTS (SELECT FROM followersync_followerchange c"
                "   WHERE c.account_id = g.account_id AND c.key = g.key AND c.kind = 'renamed'"
                "   AND c.at > coalesce(d.first_seen_at, '-infinity')))",
            ),
            {"account": account_id, "minute": minute, "near": 60 << 12},
        )
    _mark_undated(account_id, nameless, baseline_at)


def _mark_undated(account_id: int, nameless: Sequence[int], baseline_at: datetime | None) -> None:
    """Undated people may be any unknown name that is not certainly a newcomer's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(second) FROM delta WHERE key IS NULL")
        seconds = [*nameless, *(second for (second,) in cursor if second is not None)]
        least = datetime.fromtimestamp(min(seconds), UTC) if seconds else None
        cursor.execute(
            "WITH moments AS (SELECT DISTINCT coalesce(d.first_seen_at, %(baseline)s) AS seen"  # noqa: S608
            f"  FROM delta d WHERE {MISSING} AND d.since IS NULL),"
            " doubted AS (SELECT seen FROM moments WHERE (%(least)s::timestamptz IS NOT NULL"
            "  AND (seen IS NULL OR seen >= %(least)s)) OR EXISTS"
            "   (SELECT FROM followersync_follower g WHERE g.account_id = %(account)s"
            "    AND g.key < 0 AND g.first_seen_at > seen AND g.since <= seen))"
            " UPDATE delta d SET act = 'doubtful' FROM doubted"
            f" WHERE {MISSING} AND d.since IS NULL"
            " AND doubted.seen IS NOT DISTINCT FROM coalesce(d.first_seen_at, %(baseline)s)",
            {"account": account_id, "least": least, "baseline": baseline_at},
        )


def mark_blocks(account_id: int, length: int) -> None:
    """Mark as `block` missing people with `length` missing neighbours and nobody present between.

    In the order of places, which only people known in the same way share; 0 is no place. One pass
    over the list finds the people present between the missing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (SELECT key, place, key > 0 AS by_id,"
            "   row_number() OVER (PARTITION BY key > 0 ORDER BY place, key) AS n FROM delta"
            "  WHERE key IS NOT NULL AND NOT listed AND place <> 0"
            "  AND coalesce(act, '') NOT IN ('renamed', 'outside')),"
            " rows AS (SELECT by_id, array_agg(place ORDER BY n) AS places FROM gone"
            "  GROUP BY by_id),"
            " filled AS (SELECT DISTINCT rows.by_id, width_bucket(f.place, rows.places) AS n"
            "  FROM followersync_follower f JOIN rows ON rows.by_id = (f.key > 0)"
            "  WHERE f.account_id = %(account)s AND NOT EXISTS (SELECT FROM delta d"
            "   WHERE d.key = f.key AND NOT d.listed AND d.act IS DISTINCT FROM 'renamed')),"
            " runs AS (SELECT g.key, g.by_id, count(filled.n) OVER"
            "   (PARTITION BY g.by_id ORDER BY g.n) AS run"
            "  FROM gone g LEFT JOIN filled ON filled.by_id = g.by_id AND filled.n = g.n - 1),"
            " sized AS (SELECT key, count(*) OVER (PARTITION BY by_id, run) AS people FROM runs)"
            " UPDATE delta d SET act = 'block' FROM sized"
            " WHERE d.key = sized.key AND sized.people >= %(length)s AND d.act IS NULL",
            {"account": account_id, "length": length},
        )


def judge_missing(account_id: int, look: Look) -> None:
    """Give missing people the verdict of `archive_losses.judge`; NULL: no change."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delta d SET act = CASE"
            " WHEN %(weight)s = 'nothing' OR d.act = 'outside'"
            "  OR (a.last_at IS NULL AND NOT %(sees_new)s) THEN NULL"
            " WHEN d.act IS NOT NULL THEN d.act"
            " WHEN %(weight)s = 'shows' THEN 'shown'"
            " WHEN a.last_at IS NULL THEN 'missed'"
            " WHEN a.last_at > to_timestamp(%(until)s) THEN 'waiting'"
            " WHEN a.witnessed + 1 >= %(looks)s THEN 'lost' ELSE 'missed' END"
            " FROM delta n LEFT JOIN followersync_absence a"
            "  ON a.account_id = %(account)s AND a.key = n.key"
            " WHERE d.key = n.key AND NOT d.listed AND d.act IS DISTINCT FROM 'renamed'",
            {
                "account": account_id,
                "weight": look.weight.value,
                "sees_new": look.sees_new,
                "until": look.proves_until,
                "looks": LOOKS,
            },
        )


def judge_dates(account_id: int, *, newer: bool, minute: bool, until: int, mass: Redating) -> None:
    """Mark people with another date: `came_back` or `redated`, or no change.

    Only people whom a look missed and who follow since later came back. `until`: the last second
    that the archive can cover.
    """
    if mass is Redating.LUMP:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delta d SET act = CASE"
            " WHEN d.since IS NULL THEN 'redated'"
            " WHEN %(minute)s THEN NULL"
            " WHEN d.key < 0 AND %(newer)s AND %(few)s AND a.witnessed > 0"
            "  AND to_timestamp(d.second) > a.last_at THEN 'came_back'"
            " WHEN d.key < 0 AND %(newer)s THEN 'redated'"
            " WHEN d.key > 0 AND d.second < d.since AND d.since <= %(until)s THEN 'redated'"
            " WHEN d.key > 0 AND %(newer)s AND d.second > d.since AND d.first_seen_at IS NULL"
            "  THEN 'redated' END"
            " FROM delta n LEFT JOIN followersync_absence a"
            "  ON a.account_id = %(account)s AND a.key = n.key"
            " WHERE d.key = n.key AND d.listed AND d.second IS NOT NULL",
            {
                "account": account_id,
                "newer": newer,
                "minute": minute,
                "until": until,
                "few": mass is Redating.NONE,
            },
        )


def admit(
    account_id: int,
    *,
    newer: bool,
    found: bool,
    known_until: int | None,
    only_after: int | None,
    covered: Sequence[tuple[int, int]],
) -> None:
    """Decide for each unknown name whether and how it enters the list.

    `known_until`: who followed later is `gained`, who followed earlier is `found`, and enters only
    where `found` is set. `only_after`: the edge looked then at a whole list, so earlier names are
    left to it. `covered`: spans of follow seconds in which a newer archive showed everybody.
    """
    with connection.cursor() as cursor:
        if not newer:
            # An older archive's unknown name may be the earlier name of a stored person.
            cursor.execute(
                "UPDATE delta d SET known = true FROM (SELECT extract(epoch FROM since)::bigint"  # noqa: S608
                "  AS second FROM followersync_follower WHERE account_id = %(account)s) g"
                f" WHERE d.key IS NULL AND {same_follow('g.second', 'd.second')}",
                {"account": account_id, "minute": False},
            )
        cursor.execute(
            "UPDATE delta d SET act = CASE WHEN %(after)s::bigint IS NOT NULL"
            "  AND coalesce(second, 0) <= %(after)s::bigint THEN NULL"
            " WHEN %(newer)s AND coalesce(second, 0) > %(known)s THEN 'gained'"
            " WHEN %(newer)s AND %(found)s THEN 'found'"
            " WHEN %(newer)s THEN NULL"
            " WHEN second IS NOT NULL AND NOT known AND NOT EXISTS (SELECT FROM"
            "  unnest(%(oldest)s::bigint[], %(newest)s::bigint[]) AS part(oldest, newest)"
            "  WHERE second BETWEEN part.oldest AND part.newest) THEN 'found' END"
            " WHERE key IS NULL AND act IS NULL",
            {
                "newer": newer,
                "found": found,
                "after": only_after,
                "known": known_until or 0,
                "oldest": [oldest for oldest, _ in covered],
                "newest": [newest for _, newest in covered],
            },
        )
        # A person lost under the same name, known by that name alone, is taken for the same.
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
