"""Searches all columns for words of erased people, a range of blocks at a time.

Only keyed hashes of the words are known, so the database's words are hashed and compared; each
distinct word of a range once. Tables of other members' lists are skipped: people whom another
account lists stay there. A table is read completely once for new needles; after that only what was
written since.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from accounts import clock, data_catalogue
from accounts.models import ErasureNeedle
from accounts.registry import Progress
from accounts.services.erasure import identifiers, sql
from accounts.services.residue.findings import ErasedIdentifierHashes, Finding, needles, note

#: Skipped: the needles, rows that name tables and times but no people, and ciphertext.
LEFT_OUT: Final = frozenset(
    {
        "accounts_erasureneedle",
        "accounts_filepiece",
        "accounts_residuefinding",
        "django_migrations",
    }
)
#: Blocks of a table (8 KiB each) that one statement reads.
STRETCH: Final = 256
#: Column types without words and without numbers as long as Instagram's ids.
NO_WORDS: Final = frozenset({
    "bool", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "int2", "int4",
    "float4", "float8", "numeric", "uuid", "oid",
})  # fmt: skip
SHORTEST_ID: Final = 100_000_000

_RELATIONS: Final = """
SELECT c.relname, leaf.oid::regclass::text, pg_relation_size(leaf.oid)
    / current_setting('block_size')::bigint,
    (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
    (SELECT array_agg(typname::text ORDER BY attnum) FROM pg_attribute
     JOIN pg_type ON pg_type.oid = atttypid
     WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
FROM pg_class c, LATERAL (
    SELECT relid::oid AS oid FROM pg_partition_tree(c.oid) WHERE isleaf AND c.relkind = 'p'
    UNION ALL SELECT c.oid WHERE c.relkind = 'r') AS leaf
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
AND NOT c.relispartition ORDER BY 1, 2
"""
_NEXT_TRANSACTION: Final = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# A row's own transaction number has no epoch: `age` counts back from now.
_CHANGED: Final = " AND age(xmin) <= (SELECT {now} - {since} + 1)"


@dataclass(frozen=True)
class Relation:
    """A table, or one partition of it: `columns` with an SQL expression for their text."""

    table: str
    name: str
    blocks: int
    first: str
    columns: dict[str, str]


def work(progress: Progress, until: float) -> int:
    """One slice. The cursor: relation and block; the memory: how far each was searched."""
    wanted = _begin(progress)
    noted = 0
    if wanted:
        for relation in _relations():
            if relation.name in progress.cursor["done"]:
                continue
            while progress.cursor["block"] < relation.blocks:
                noted += note(_search(relation, progress, wanted))
                if time.monotonic() >= until:
                    return noted
            progress.cursor["done"].append(relation.name)
            progress.cursor["block"] = 0
    progress.memory.update(searched=progress.cursor["newest"], since=progress.cursor["now"])
    progress.finished = True
    return noted


def _begin(progress: Progress) -> ErasedIdentifierHashes:
    """At the beginning of a night: delete expired needles, and record the start."""
    if not progress.cursor:
        ErasureNeedle.objects.filter(until__lt=clock.now()).delete()
        newest = ErasureNeedle.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        only_new = newest <= progress.memory.get("searched", -1)
        progress.cursor.update(
            done=[],
            block=0,
            newest=newest,
            now=sql.select(_NEXT_TRANSACTION)[0][0],
            since=progress.memory.get("since") if only_new else None,
        )
    return needles()


def _relations() -> Iterator[Relation]:
    skipped = data_catalogue.people_tables() | LEFT_OUT
    for table, name, blocks, columns, types in sql.select(_RELATIONS):
        texts = {
            column: _text(column, kind)
            for column, kind in zip(columns, types, strict=True)
            if kind not in NO_WORDS
        }
        if table not in skipped and texts:
            yield Relation(table, name, int(blocks), columns[0], texts)


def _text(column: str, kind: str) -> str:
    if kind == "int8":
        return f'CASE WHEN "{column}" >= {SHORTEST_ID} THEN "{column}"::text END'
    if kind == "bytea":
        return f"encode(\"{column}\", 'escape')"
    return f'"{column}"::text'


def _search(
    relation: Relation, progress: Progress, wanted: ErasedIdentifierHashes
) -> Iterator[Finding]:
    """Search the next range; row and column are looked up only for a hit."""
    begin = progress.cursor["block"]
    progress.cursor["block"] = begin + STRETCH
    where = f"ctid >= '({begin},0)' AND ctid < '({begin + STRETCH},0)'"
    if (since := progress.cursor["since"]) is not None:
        where += _CHANGED.format(now=f"({_NEXT_TRANSACTION})", since=int(since))
    listed = ", ".join(relation.columns.values())
    together = sql.select(
        f"SELECT string_agg(concat_ws(E'\\n', {listed}), E'\\n') FROM {relation.name}"  # noqa: S608
        f" WHERE {where}"
    )[0][0]
    if together and any(wanted.met(identifiers.distinct(together))):
        yield from _rows(relation, where, wanted)


def _rows(relation: Relation, where: str, wanted: ErasedIdentifierHashes) -> Iterator[Finding]:
    listed = ", ".join([f'"{relation.first}"::text', *relation.columns.values()])
    statement = f"SELECT ctid::text, {listed} FROM {relation.name} WHERE {where}"  # noqa: S608
    for address, first, *values in sql.stream(statement):
        for column, value in zip(relation.columns, values, strict=True):
            for known in wanted.met(identifiers.distinct(value or "")):
                row = f"{relation.first}={first}" if first else f"row {address}"
                yield Finding(relation.table, column, row, *known)
