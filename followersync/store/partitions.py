"""Partitioning of the list tables by account, for more than one disk or machine.

A table is rebuilt in one transaction, during which its readers and writers wait; every statement of
ours names the account, so that it is planned for one partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from django.db import connection
from psycopg.sql import SQL, Composable, Identifier, Literal

TABLES = ("followersync_follower", "followersync_pastfollow", "followersync_followerchange")
MOST = 1024


def parts_of(table: str) -> int:
    """The number of partitions of the table; 0: it is a plain one."""
    rows = _rows(SQL("SELECT count(*) FROM pg_inherits WHERE inhparent = {}::regclass"), table)
    return int(rows[0][0])


def rebuild(table: str, parts: int, tablespaces: Sequence[str] = ()) -> None:
    """Divide the table into `parts` (0: make it plain again), with its rows, names and indexes.

    `tablespaces` take the partitions in turn. Call it in a transaction.
    """
    _run(SQL("LOCK TABLE {0} IN ACCESS EXCLUSIVE MODE"), table)
    key = _rows(
        SQL(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = {}::regclass AND contype = 'p'"
        ),
        table,
    )
    indexes = _rows(
        SQL(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = {}::regclass AND NOT indisprimary"
        ),
        table,
    )
    _make(f"{table}_new", table, parts, tablespaces)
    _run(SQL("INSERT INTO {0} SELECT * FROM {1}"), f"{table}_new", table)
    _run(SQL("DROP TABLE {0}"), table)
    _run(SQL("ALTER TABLE {0} RENAME TO {1}"), f"{table}_new", table)
    for name, definition in key:
        _run(SQL("ALTER TABLE {0} ADD CONSTRAINT {1} {2}"), table, name, raw=definition)
    for (definition,) in indexes:
        # For a partitioned table PostgreSQL writes ON ONLY, which would leave the partitions out.
        _run(SQL("{0}"), raw=definition.replace(" ON ONLY ", " ON ", 1))
    _run(SQL("ANALYZE {0}"), table)


def _make(new: str, old: str, parts: int, tablespaces: Sequence[str]) -> None:
    like = "CREATE TABLE {0} (LIKE {1} INCLUDING ALL EXCLUDING INDEXES)"
    if not parts:
        _run(SQL(like), new, old)
        return
    _run(SQL(like + " PARTITION BY HASH (account_id)"), new, old)
    places = cycle(tablespaces or [""])
    part = SQL("CREATE TABLE {0} PARTITION OF {1} FOR VALUES WITH (MODULUS {2}, REMAINDER {3})")
    for number in range(parts):
        # Named by their number too: those of an earlier division are dropped only later.
        name = Identifier(f"{old}_{parts}_{number}")
        statement = part.format(name, Identifier(new), Literal(parts), Literal(number))
        if place := next(places):
            statement += SQL(" TABLESPACE {}").format(Identifier(place))
        _execute(statement)


def _run(statement: SQL, *names: str, raw: str = "") -> None:
    """`raw`: a definition from PostgreSQL itself, in the last place."""
    parts: list[Composable] = [*map(Identifier, names), *([SQL(raw)] if raw else [])]
    _execute(statement.format(*parts))


def _execute(statement: Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.connection))


def _rows(statement: SQL, table: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(Literal(table)).as_string(cursor.connection))
        return list(cursor.fetchall())
