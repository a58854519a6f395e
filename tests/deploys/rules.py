"""Rules for migrations of a site that is running: what would stop it, or break the code of before.

While a release is rolled out, the old code and the new one work on one database, and every
migration takes its locks while members wait. squawk judges the SQL that Django makes of a
migration; what SQL does not show is judged here from the operations.

A finding that is right nevertheless is excused in the migration, which a reviewer sees:
`reviewed = {"changing-column-type": "a varchar that grows: PostgreSQL rewrites nothing"}`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlparse
from django.db.migrations import DeleteModel, RemoveField, RunPython, RunSQL
from django.db.migrations.migration import Migration
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, ManyToManyField

#: The first set, by the number of its last migration: until it stands nobody runs the site, so
#: that it may do anything. To close a set, move this line on; nothing else names it.
FIRST_SET: Final = {"accounts": 11, "followersync": 12, "threadsite": 2}

OLDEST_POSTGRESQL: Final = "15"
#: Of squawk's rules, matters of taste; and time limits, which the deploy sets (docs/deploys.md).
LEFT_OUT: Final = (
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-text-field",
    "prefer-timestamptz",
    "prefer-identity",
    "prefer-robust-stmts",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-timeout-settings",
)
#: Each locks a whole table against everybody for as long as it takes; squawk has no rule for them.
LOCKING: Final = re.compile(
    r"^(LOCK\b|TRUNCATE\b|VACUUM\b.*\bFULL\b|CLUSTER\b|REFRESH MATERIALIZED VIEW (?!CONCURRENTLY)"
    r"|ALTER TABLE\b.*\bSET (TABLESPACE|LOGGED|UNLOGGED)\b)",
    re.IGNORECASE | re.DOTALL,
)
DROPPED: Final = re.compile(
    r"^(?:ALTER TABLE (?:IF EXISTS )?(?:ONLY )?\"?(?P<of>\w+)\"?\s+"
    r"DROP COLUMN (?:IF EXISTS )?\"?(?P<column>\w+)\"?"
    r"|DROP TABLE (?:IF EXISTS )?\"?(?P<table>\w+)\"?)",
    re.IGNORECASE,
)
DROPS: Final = frozenset({"ban-drop-column", "ban-drop-table"})
#: A default that PostgreSQL computes once, so that no row is written (Django's `Now()`).
STABLE_DEFAULT: Final = re.compile(
    r"DEFAULT \(?(STATEMENT_TIMESTAMP\(\)|now\(\)|CURRENT_TIMESTAMP)", re.IGNORECASE
)


@dataclass(frozen=True, order=True)
class Finding:
    """One reason not to deploy a migration."""

    migration: str
    rule: str
    why: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.rule}: {self.why}"


def is_bound(app: str, name: str) -> bool:
    """Whether a migration comes after the first set. Those of other packages are their own."""
    return app in FIRST_SET and int(name.split("_")[0]) > FIRST_SET[app]


def findings(
    migration: Migration, statements: Sequence[str], before: ProjectState
) -> list[Finding]:
    """What is wrong with a migration; `statements` are its SQL, `before` the models it meets."""
    name = f"{migration.app_label}.{migration.name}"
    reviewed: dict[str, str] = getattr(migration, "reviewed", {})
    told = [*_of_sql(migration, statements, before), *_of_operations(migration, before)]
    found = {Finding(name, rule, why) for rule, why in told if not reviewed.get(rule, "").strip()}
    unused = set(reviewed) - {rule for rule, _why in told}
    found |= {Finding(name, "needless-review", f"nothing breaks {rule}") for rule in unused}
    return sorted(found)


def _of_sql(
    migration: Migration, scripts: Sequence[str], before: ProjectState
) -> Iterator[tuple[str, str]]:
    statements = [each.strip() for script in scripts for each in sqlparse.split(script)]
    statements = [each for each in statements if sqlparse.format(each, strip_comments=True)]
    statements = [each for each in statements if each.upper() not in ("BEGIN;", "COMMIT;")]
    known = columns_of(before)
    for rule, why, statement in squawk(statements, in_transaction=migration.atomic):
        if rule in DROPS and not _is_in_use(statement, known):
            continue
        if rule == "adding-field-with-default" and STABLE_DEFAULT.search(statement):
            continue
        yield rule, f"{why} In: {_short(statement)}"
    for statement in statements:
        bare = sqlparse.format(statement, strip_comments=True).strip()
        if LOCKING.match(bare):
            yield "locks-a-whole-table", f"Everybody waits until it ends. In: {_short(statement)}"


def squawk(statements: Sequence[str], *, in_transaction: bool) -> Iterator[tuple[str, str, str]]:
    """(rule, why, statement) for each finding of squawk's."""
    if not statements:
        return
    starts, lines = [], 0
    for each in statements:
        starts.append(lines)
        lines += each.count("\n") + 1
    command = [str(Path(sys.executable).with_name("squawk")), "--reporter", "json"]
    command += ["--pg-version", OLDEST_POSTGRESQL, "--exclude", ",".join(LEFT_OUT)]
    command += ["--stdin-filepath", "migration.sql"]
    command += ["--assume-in-transaction"] if in_transaction else []
    outcome = subprocess.run(
        command, input="\n".join(statements), capture_output=True, text=True, check=False
    )
    if outcome.returncode not in (0, 1) or not outcome.stdout.startswith("["):
        raise RuntimeError(f"squawk could not judge:\n{outcome.stdout}{outcome.stderr}")
    for told in json.loads(outcome.stdout):
        place = max(index for index, start in enumerate(starts) if start <= told["line"])
        yield told["rule_name"], told["message"].rstrip("."), statements[place]


def columns_of(state: ProjectState) -> set[tuple[str, str]]:
    """(table, column) of all models, and (table, "") for each table."""
    found = set()
    for model in state.apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        found |= {(table, str(field.column)) for field in model._meta.concrete_fields}
        found.add((table, ""))
    return found


def _is_in_use(statement: str, known: Collection[tuple[str, str]]) -> bool:
    """Whether the code of before reads what is dropped. What cannot be read here counts so."""
    bare = sqlparse.format(statement, strip_comments=True).strip()
    match = DROPPED.match(bare)
    if match is None or bare.upper().count(" DROP ") > 1 or "," in bare:
        return True
    if match["table"]:
        return (match["table"], "") in known
    return (match["of"], match["column"]) in known


def _of_operations(migration: Migration, before: ProjectState) -> Iterator[tuple[str, str]]:
    state = before.clone()
    kinds = set()
    for operation in migration.operations:
        if isinstance(operation, RunPython) or _writes_rows(operation):
            kinds.add("rows")
            yield from _of_rows(operation, migration)
        elif not isinstance(operation, SeparateDatabaseAndState):
            kinds.add("tables")
        if isinstance(operation, RunSQL) and not operation.reversible:
            yield "irreversible", f"{operation.describe()}: give it `reverse_sql`."
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _of_state_only(operation, state, migration.app_label)
        operation.state_forwards(migration.app_label, state)
    if len(kinds) == 2:
        yield "rows-and-tables", "Put what writes rows into a migration of its own."


def _of_rows(operation: Operation, migration: Migration) -> Iterator[tuple[str, str]]:
    what = operation.describe()
    if isinstance(operation, RunPython) and not operation.reversible:
        yield "irreversible", f"{what}: give it `reverse_code`, if only RunPython.noop."
    if not operation.elidable:
        yield "not-elidable", f"{what}: `elidable=True`, so that a squashed set leaves it out."
    if migration.atomic:
        yield "not-batched", f"{what}: `atomic = False`, and write rows in short transactions."
    if isinstance(operation, RunSQL):
        yield "not-batched", f"{what}: one statement is one transaction; batch it in RunPython."


def _writes_rows(operation: Operation) -> bool:
    if not isinstance(operation, RunSQL):
        return False
    scripts = operation.sql if isinstance(operation.sql, list | tuple) else [operation.sql]
    texts = [each[0] if isinstance(each, list | tuple) else each for each in scripts]
    statements = [one for text in texts for one in sqlparse.parse(str(text))]
    return any(one.get_type() in ("UPDATE", "DELETE", "INSERT", "MERGE") for one in statements)


def _of_state_only(
    operation: SeparateDatabaseAndState, state: ProjectState, app: str
) -> Iterator[tuple[str, str]]:
    """The code forgets a column first; until it is dropped, rows are made without it."""
    for each in operation.state_operations:
        if isinstance(each, RemoveField):
            field = state.models[app, each.model_name_lower].fields[each.name]
            if isinstance(field, ManyToManyField) or field.null:
                continue
            if field.db_default is NOT_PROVIDED:
                yield (
                    "forgotten-without-default",
                    f"The new code makes rows of {each.model_name} without {each.name}, which has "
                    "no database default: give it one in an earlier migration.",
                )
        elif isinstance(each, DeleteModel):
            continue


def _short(statement: str) -> str:
    line = " ".join(sqlparse.format(statement, strip_comments=True).split())
    return line if len(line) <= 120 else f"{line[:117]}..."
