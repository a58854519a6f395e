"""Finds all tables with rows of an account or a member, from the database's schema.

Foreign keys are followed to the member and to the linked account over any number of tables, so that
a table added later is erased and checked without being declared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.apps import apps
from django.db import models

from accounts import data_catalogue
from accounts.data_catalogue import Of
from accounts.services.erasure import sql

ROOTS: dict[Of, str] = {"account": "accounts_linkedaccount", "member": "accounts_user"}
#: Columns that hold an id by convention, without a foreign key (partitioned tables).
CONVENTIONS: dict[str, Of] = {"account_id": "account", "owner_id": "member"}

_FOREIGN_KEYS = """
SELECT child.relname, own.attname, parent.relname, theirs.attname
FROM pg_constraint
JOIN pg_class child ON child.oid = conrelid
JOIN pg_class parent ON parent.oid = confrelid
JOIN pg_attribute own ON own.attrelid = conrelid AND own.attnum = conkey[1]
JOIN pg_attribute theirs ON theirs.attrelid = confrelid AND theirs.attnum = confkey[1]
WHERE contype = 'f' AND cardinality(conkey) = 1 AND conparentid = 0
  AND child.relnamespace = current_schema()::regnamespace AND NOT child.relispartition
"""
_COLUMNS = """
SELECT relname, relkind, array_agg(attname::text ORDER BY attnum)
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
  AND NOT relispartition
GROUP BY 1, 2 ORDER BY 1
"""


@dataclass(frozen=True)
class ForeignKey:
    table: str
    column: str
    parent: str
    parent_column: str


@dataclass(frozen=True)
class Holding:
    """Rows of `table` matching `where`; `form` makes its one parameter from the id."""

    table: str
    of: Of
    column: str
    where: str
    form: str
    action: Literal["delete", "detach"]
    partitioned: bool

    def parameter(self, identity: int) -> int | str:
        return identity if self.form == "{}" else self.form.format(identity)


@dataclass(frozen=True)
class Schema:
    """The tables with their columns, and the foreign keys between them."""

    columns: dict[str, list[str]]
    partitioned: frozenset[str]
    foreign_keys: tuple[ForeignKey, ...]


def read_schema() -> Schema:
    rows = sql.select(_COLUMNS)
    keys = tuple(ForeignKey(*row) for row in sql.select(_FOREIGN_KEYS))
    return Schema(
        columns={table: names for table, _kind, names in rows},
        partitioned=frozenset(table for table, kind, _names in rows if kind == "p"),
        foreign_keys=keys,
    )


def holdings(of: Of, schema: Schema | None = None) -> list[Holding]:
    """Every relation of a table to an account or member; children before parents."""
    schema = schema or read_schema()
    found = [*_declared(of, schema), *_by_convention(of, schema)]
    frontier = [(ROOTS[of], "id", "= %s", frozenset({ROOTS[of]}))]
    while frontier:
        parent, parent_column, condition, seen = frontier.pop()
        for key in schema.foreign_keys:
            if (key.parent, key.parent_column) != (parent, parent_column) or key.table in seen:
                continue
            holding = _holding(of, schema, key.table, key.column, condition)
            found.append(holding)
            if holding.action == "delete" and key.table not in ROOTS.values():
                frontier += _children(schema, key, holding, seen)
    kept = [h for h in found if h.table not in ROOTS.values()]
    return _children_first(kept, schema)


def _children(
    schema: Schema, key: ForeignKey, holding: Holding, seen: frozenset[str]
) -> Iterable[tuple[str, str, str, frozenset[str]]]:
    """The next relations: every foreign key to the rows of `holding`."""
    columns = {k.parent_column for k in schema.foreign_keys if k.parent == key.table}
    for column in columns:
        inner = f'IN (SELECT "{column}" FROM "{key.table}" WHERE {holding.where})'  # noqa: S608
        yield key.table, column, inner, seen | {key.table}


def _holding(
    of: Of, schema: Schema, table: str, column: str, condition: str, form: str = "{}"
) -> Holding:
    return Holding(
        table=table,
        of=of,
        column=column,
        where=f'"{column}" {condition}',
        form=form,
        action="detach" if _is_set_null(table, column) else "delete",
        partitioned=table in schema.partitioned,
    )


def _declared(of: Of, schema: Schema) -> list[Holding]:
    return [
        _holding(of, schema, key.table, key.column, "= %s", key.form)
        for key in data_catalogue.declared_keys()
        if key.of == of and key.table in schema.columns
    ]


def _by_convention(of: Of, schema: Schema) -> list[Holding]:
    with_key = {(key.table, key.column) for key in schema.foreign_keys}
    return [
        _holding(of, schema, table, column, "= %s")
        for table, columns in schema.columns.items()
        for column, whose in CONVENTIONS.items()
        if whose == of
        and column in columns
        and (table, column) not in with_key
        and table not in data_catalogue.exemptions()
    ]


def _is_set_null(table: str, column: str) -> bool:
    """Whether the row outlives the one in the column, by Django's on_delete."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.db_table == table:
            for field in model._meta.concrete_fields:
                if field.column == column and isinstance(field, models.ForeignKey):
                    return field.remote_field.on_delete is models.SET_NULL
    return False


def _children_first(found: list[Holding], schema: Schema) -> list[Holding]:
    """An order in which no deleted row is still referred to."""
    depth = dict.fromkeys(schema.columns, 0)
    for _round in schema.columns:
        changed = False
        for key in schema.foreign_keys:
            if key.table != key.parent and depth[key.table] <= depth[key.parent] < len(depth):
                depth[key.table] = depth[key.parent] + 1
                changed = True
        if not changed:
            break
    return sorted(found, key=lambda holding: -depth[holding.table])
