"""Look through every row of every table for orphans and for words of erased people.

The words are known as keyed hashes only, so every word of the database is hashed and compared.
Tables that hold other members' lists are left out: whom another account lists stays there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from accounts import catalogue, clock
from accounts.models import ErasureNeedle, ResidueFinding
from accounts.services.erasure import payloads, sql, words
from accounts.services.erasure.holdings import ROOTS, Holding, Schema, holdings, read_schema

#: The list of what to look for; and rows that name tables and times, not people.
LEFT_OUT = frozenset({"accounts_erasureneedle", "accounts_residuefinding", "django_migrations"})

# A loose index scan: one probe per account, however many rows each has.
_ORPHANS = """
WITH RECURSIVE ids AS (
    SELECT min("{column}")::text AS id, min("{column}") AS raw FROM "{table}"
    UNION ALL
    SELECT following.raw::text, following.raw FROM ids, LATERAL (
        SELECT min("{column}") AS raw FROM "{table}" WHERE "{column}" > ids.raw) AS following
    WHERE ids.raw IS NOT NULL)
SELECT id FROM ids WHERE id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM "{root}" WHERE {named} = ids.id) LIMIT 100
"""


@dataclass(frozen=True)
class Met:
    """A row in which something was met."""

    table: str
    column: str
    row: str
    what: str
    deletion_id: int | None


def search() -> int:
    """Note every new doubtful row for staff; returns how many. Drops needles whose time is over."""
    now = clock.now()
    ErasureNeedle.objects.filter(until__lt=now).delete()
    schema = read_schema()
    met = [*_orphans(schema), *_by_words(schema)]
    noted = 0
    for found in met:
        _finding, created = ResidueFinding.objects.get_or_create(
            deletion_id=found.deletion_id,
            table=found.table,
            row=found.row[:200],
            what=found.what,
            defaults={"column": found.column, "found_at": now},
        )
        noted += created
    return noted


def _orphans(schema: Schema) -> Iterator[Met]:
    """Rows keyed to an account or member that does not exist: nothing may outlive its owner."""
    for of, root in ROOTS.items():
        for holding in holdings(of, schema):
            if _is_plain(holding):
                yield from _orphans_of(holding, root)


def _is_plain(holding: Holding) -> bool:
    """A column that holds the id itself; behind another table the foreign key sees to it."""
    return holding.where == f'"{holding.column}" = %s'


def _orphans_of(holding: Holding, root: str) -> Iterator[Met]:
    prefix, _braces, suffix = holding.form.partition("{}")
    named = f"'{prefix}' || id::text || '{suffix}'"
    statement = _ORPHANS.format(table=holding.table, column=holding.column, root=root, named=named)
    for (identity,) in sql.select(statement):
        yield Met(holding.table, holding.column, f"{holding.column}={identity}", "orphan", None)


def _by_words(schema: Schema) -> Iterator[Met]:
    needles = {
        bytes(needle.digest): (needle.what, needle.deletion_id)
        for needle in ErasureNeedle.objects.filter(deletion__state="completed")
    }
    if not needles:
        return
    skipped = catalogue.people_tables() | LEFT_OUT
    for table in schema.columns:
        if table not in skipped:
            yield from _in_table(table, schema.columns[table], needles)
    for payload in payloads.all_payloads():
        for word in words.words_in(payload.value):
            if (known := needles.get(words.needle(word))) is not None:
                yield Met(payload.table, "payload", payload.key, *known)


def _in_table(
    table: str, columns: list[str], needles: Mapping[bytes, tuple[str, int]]
) -> Iterator[Met]:
    """All columns as text, streamed; which row and column it was is asked only of a hit."""
    listed = ", ".join(f'"{column}"::text' for column in columns)
    for address, *values in sql.stream(f'SELECT ctid::text, {listed} FROM "{table}"'):  # noqa: S608
        for column, value in zip(columns, values, strict=True):
            for known in _known(value, needles):
                row = f"{columns[0]}={values[0]}" if values[0] else f"row {address}"
                yield Met(table, column, row, *known)


def _known(
    value: str | None, needles: Mapping[bytes, tuple[str, int]]
) -> Iterator[tuple[str, int]]:
    if not value:
        return
    for word in set(words.tokens(value)):
        known = needles.get(words.needle(word))
        if known is not None:
            yield known
