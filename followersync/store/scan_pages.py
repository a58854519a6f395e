"""Stored pages of a scan, the followers on none of them, and the records of absences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from followersync.domain.losses import Missing
from followersync.domain.values import Absence, Absent, PageEvidence, Span
from followersync.models.follower import BLOCK_BITS
from followersync.store.literals import bigints

Ranges = Sequence[tuple[int, int]] | None

UNSEEN = (
    " WHERE f.account_id = %(account)s AND NOT EXISTS (SELECT FROM seen WHERE seen.key = f.key)"
)
UNSEEN_FOLLOWERS = f" FROM followersync_follower f{UNSEEN}"
BETWEEN = (
    " FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS r(low, high)"
    " JOIN followersync_follower f ON f.account_id = %(account)s"
    f" AND f.place >> {BLOCK_BITS} BETWEEN r.low >> {BLOCK_BITS} AND r.high >> {BLOCK_BITS}"
    f" AND f.place > r.low AND f.place < r.high{UNSEEN}"
)
SEEN = (
    "WITH seen AS (SELECT unnest(keys) AS key FROM followersync_scanpage"
    " WHERE account_id = %(account)s AND number >= %(first)s)"
)


RECORD = (
    "extract(epoch FROM a.unconfirmed_since)::bigint, a.looks, a.witnessed, a.agreed, a.whole,"
    " a.whole_at, extract(epoch FROM a.last_at)::bigint, a.settled, a.counted, a.suspect,"
    " a.shown, a.most, a.longer, a.shorter, a.beyond, a.look_times"
)
"""An absence as the domain has it, in the order of its fields."""


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def put_pages(account_id: int, pages: Iterable[tuple[PageEvidence, Sequence[int]]]) -> None:
    """Store the people and the evidence of pages, in the transaction that applies them."""
    statement = (
        "COPY followersync_scanpage"
        ' (account_id, number, part, at, top, bottom, spoiled, after, "limit", keys) FROM STDIN'
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for page, keys in pages:
            copy.write_row(
                (
                    account_id,
                    page.number,
                    page.part.value,
                    moment(page.at),
                    page.top,
                    page.bottom,
                    page.spoiled.value if page.spoiled else "",
                    page.after or "",
                    page.limit,
                    bigints(keys),
                )
            )


def spans(account_id: int, first_page: int) -> list[Span]:
    """The evidence of the pages from `first_page` on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, top, bottom, extract(epoch FROM at)::bigint,"
            " nullif(after, ''), \"limit\""
            " FROM followersync_scanpage WHERE account_id = %s AND number >= %s"
            " AND top IS NOT NULL AND bottom IS NOT NULL ORDER BY number",
            [account_id, first_page],
        )
        return [Span(*row) for row in cursor]


def count_absent(account_id: int, ranges: Ranges, first_page: int, *, end: int) -> Missing:
    """How many followers are on no page from `first_page` on; with `ranges`, only inside of one.

    `end`: the place below which nobody was shown.
    """
    with _hashing() as cursor:
        cursor.execute(
            f"{SEEN}, absent AS (SELECT f.key, NOT f.sure OR f.place < %(end)s AS at_end"  # noqa: S608
            f" {_among(ranges)})"
            " SELECT count(*), count(*) FILTER (WHERE a.key IS NULL),"
            " count(*) FILTER (WHERE a.key IS NULL OR NOT a.settled),"
            " count(*) FILTER (WHERE a.counted), count(*) FILTER (WHERE n.at_end),"
            " count(*) FILTER (WHERE n.at_end AND a.key IS NULL)"
            " FROM absent n LEFT JOIN followersync_absence a"
            " ON a.account_id = %(account)s AND a.key = n.key",
            _values(account_id, ranges, first_page) | {"end": end},
        )
        return Missing(*cursor.fetchone())


def absent_batch(
    account_id: int, ranges: Ranges, first_page: int, *, after: int | None, limit: int
) -> list[Absent]:
    """The next `limit` of them by key, after `after`, each with their record so far."""
    with _hashing() as cursor:
        cursor.execute(
            f"{SEEN}, absent AS (SELECT f.key, f.place, f.sure {_among(ranges)}"  # noqa: S608
            " AND (%(after)s::bigint IS NULL OR f.key > %(after)s::bigint)"
            " ORDER BY f.key LIMIT %(limit)s)"
            f" SELECT n.key, n.place, n.sure, {RECORD} FROM absent n"
            " LEFT JOIN followersync_absence a"
            " ON a.account_id = %(account)s AND a.key = n.key ORDER BY n.key",
            _values(account_id, ranges, first_page) | {"after": after, "limit": limit},
        )
        return [_absent(row) for row in cursor]


@contextmanager
def _hashing() -> Iterator[Any]:
    """A cursor whose statements use hash joins, never nested loops over followers.

    For an account without statistics PostgreSQL expects a single row, and would compare a million
    people with a million, which takes days.
    """
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield cursor
        cursor.execute("SET LOCAL enable_nestloop = on")


def _among(ranges: Ranges) -> str:
    return UNSEEN_FOLLOWERS if ranges is None else BETWEEN


def _values(account_id: int, ranges: Ranges, first_page: int) -> dict[str, Any]:
    bounds = ranges or ()
    return {
        "account": account_id,
        "first": first_page,
        "lows": [low for low, _ in bounds],
        "highs": [high for _, high in bounds],
    }


def _absent(row: tuple[Any, ...]) -> Absent:
    key, place, sure, *record = row
    return Absent(key, place, sure, None if record[0] is None else _absence(record))


def _absence(record: Sequence[Any]) -> Absence:
    """The record from its columns, in the order of RECORD."""
    *figures, look_times = record
    return Absence(*(*figures, tuple(look_times)))


def put_absences(account_id: int, absences: Sequence[tuple[int, Absence]]) -> None:
    if not absences:
        return
    rows = [
        (account_id, key, moment(a.since), a.looks, a.witnessed, a.agreed, a.whole,
         a.whole_at, moment(a.last_at), a.settled, a.counted, a.suspect, a.shown, a.most, a.longer,
         a.shorter, a.beyond, list(a.at))
        for key, a in absences
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(_PUT_ABSENCE, rows)


def latest_absences(account_id: int, limit: int) -> dict[int, Absence]:
    """The records of unconfirmed people, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.key, {RECORD} FROM followersync_absence a"  # noqa: S608  constants
            " WHERE a.account_id = %s ORDER BY a.unconfirmed_since DESC, a.key LIMIT %s",
            [account_id, limit],
        )
        return {key: _absence(record) for key, *record in cursor}


_COLUMNS = (
    "unconfirmed_since, looks, witnessed, agreed, whole, whole_at, last_at, settled, counted,"
    " suspect, shown, most, longer, shorter, beyond, look_times"
)
_PUT_ABSENCE = (
    f"INSERT INTO followersync_absence (account_id, key, {_COLUMNS})"  # noqa: S608  constants
    f" VALUES ({', '.join(['%s'] * 18)}) ON CONFLICT (account_id, key) DO UPDATE SET"
    f" ({_COLUMNS}) = ({', '.join('excluded.' + each for each in _COLUMNS.split(', '))})"
)


def forget_seen(account_id: int, keys: Sequence[int]) -> dict[int, Absence]:
    """Delete the absences of people seen again; returns their records by key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM followersync_absence a"  # noqa: S608  constants
            f" WHERE a.account_id = %s AND a.key = ANY(%s::bigint[]) RETURNING a.key, {RECORD}",
            [account_id, bigints(keys)],
        )
        return {key: _absence(record) for key, *record in cursor}


def drop_pages(account_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM followersync_scanpage WHERE account_id = %s", [account_id])


def mark_unsure(account_id: int, low: int, high: int, shown: Sequence[int]) -> None:
    """Make places strictly between `low` and `high` unsure whose people the page did not show."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE followersync_follower SET sure = false WHERE account_id = %s AND sure"  # noqa: S608
            f" AND place >> {BLOCK_BITS} BETWEEN"
            f"  %s::bigint >> {BLOCK_BITS} AND %s::bigint >> {BLOCK_BITS}"
            " AND place > %s AND place < %s AND NOT key = ANY(%s::bigint[])",
            [account_id, low, high, low, high, bigints(shown)],
        )
