"""Raw SQL for tables found at run time, which have no models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction


def execute(statement: str, parameters: Sequence[Any]) -> int:
    """Run one statement; returns how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def select(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a small result."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def stream(
    statement: str, parameters: Sequence[Any] | None = None, fetch: int = 2_000
) -> Iterator[tuple[Any, ...]]:
    """The rows of a large result, by a server-side cursor, in constant memory."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        while rows := cursor.fetchmany(fetch):
            yield from rows
