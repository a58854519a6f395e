"""Searches for orphans: rows keyed to an account or member that does not exist.

Only columns without a foreign key are searched: the database checks the others.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Final

from accounts.registry import Progress
from accounts.services.erasure import sql
from accounts.services.erasure.data_map import ROOTS, Holding, Schema, holdings, read_schema
from accounts.services.residue.findings import Finding, note

#: Owners checked in one statement.
STRETCH: Final = 2_000

# A loose index scan: one probe per owner, however many rows each has. `after` is the end of the
# previous range.
_STRETCH: Final = """
WITH RECURSIVE ids (id) AS (
    (SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL {after}
     ORDER BY "{column}" LIMIT 1)
    UNION ALL
    SELECT following.id FROM ids, LATERAL (
        SELECT "{column}" AS id FROM "{table}" WHERE "{column}" > ids.id
        ORDER BY "{column}" LIMIT 1) AS following)
SELECT id::text, NOT EXISTS (SELECT 1 FROM "{root}" WHERE "{root}".id = {owner})
FROM (SELECT id FROM ids LIMIT {stretch}) AS held
"""
# Without an index a full scan is cheaper than a probe for each.
_WHOLE: Final = """
SELECT DISTINCT id::text FROM (SELECT "{column}" AS id FROM "{table}") AS held
WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "{root}" WHERE "{root}".id = {owner}) LIMIT 100
"""
_INDEXED: Final = """
SELECT EXISTS (SELECT 1 FROM pg_index JOIN pg_attribute
    ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = ('"' || %s || '"')::regclass AND attname = %s
    AND indpred IS NULL AND indisvalid)
"""


def work(progress: Progress, until: float) -> int:
    """One slice; returns how many rows were recorded. The cursor: column and last owner."""
    schema = read_schema()
    noted = 0
    for root, holding in _columns(schema):
        name = f"{holding.table}.{holding.column}"
        if name in progress.cursor.get("done", []):
            continue
        while (last := _stretch(root, holding, progress.cursor.get("after"))) is not None:
            met, progress.cursor["after"] = last
            noted += note(met)
            if progress.cursor["after"] is None:
                break
            if time.monotonic() >= until:
                return noted
        progress.cursor["after"] = None
        progress.cursor["done"] = [*progress.cursor.get("done", []), name]
        if time.monotonic() >= until:
            return noted
    progress.finished = True
    return noted


def _columns(schema: Schema) -> Iterator[tuple[str, Holding]]:
    """(table of the owners, holding) of each column with an owner's id."""
    seen_to = {(key.table, key.column) for key in schema.foreign_keys}
    for of, root in ROOTS.items():
        for holding in holdings(of, schema):
            plain = holding.where == f'"{holding.column}" = %s'
            if plain and (holding.table, holding.column) not in seen_to:
                yield root, holding


def _stretch(root: str, holding: Holding, after: Any) -> tuple[list[Finding], Any] | None:
    """(findings, the owner to continue after: None at the end)."""
    given: dict[str, Any] = {
        "table": holding.table,
        "column": holding.column,
        "root": root,
        "owner": _owner(holding),
        "stretch": STRETCH,
        "after": f'AND "{holding.column}" > %s' if after is not None else "",
    }
    if not sql.select(_INDEXED, [holding.table, holding.column])[0][0]:
        rows = [(identity, True) for (identity,) in sql.select(_WHOLE.format(**given))]
        return [_met(holding, identity) for identity, _orphan in rows], None
    rows = sql.select(_STRETCH.format(**given), [] if after is None else [after])
    ended = len(rows) < STRETCH
    last = None if ended else _value(holding, rows[-1][0])
    return [_met(holding, identity) for identity, orphan in rows if orphan], last


def _owner(holding: Holding) -> str:
    """SQL for the owner's id in a value; null if a text names nobody: an orphan."""
    if holding.form == "{}":
        return "held.id"
    prefix, _braces, suffix = (re.escape(part) for part in holding.form.partition("{}"))
    return f"substring(held.id FROM '^{prefix}([0-9]{{1,18}}){suffix}$')::bigint"


def _value(holding: Holding, identity: str) -> int | str:
    return int(identity) if holding.form == "{}" else identity


def _met(holding: Holding, identity: str) -> Finding:
    return Finding(holding.table, holding.column, f"{holding.column}={identity}", "orphan", None)
