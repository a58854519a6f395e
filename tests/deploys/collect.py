"""Migrations on a database of their own: the SQL of each against the tables that it meets."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from tests.deploys.rules import Finding, findings, is_bound


def judge_all(connection: BaseDatabaseWrapper) -> list[Finding]:
    """Apply all migrations to an empty database; judge those after the first set on the way."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    state = executor._create_project_state(with_applied_migrations=True)
    # The first set first, so that each of the others meets its tables as a running site has them.
    plan = sorted(plan, key=lambda step: is_bound(step[0].app_label, step[0].name))
    executor.recorder.ensure_schema()
    found: list[Finding] = []
    for migration, _backwards in plan:
        if is_bound(migration.app_label, migration.name):
            found += findings(migration, list(sql_of(migration, state, connection)), state)
        state = executor.apply_migration(state, migration)
    return found


def sql_of(
    migration: Migration, before: ProjectState, connection: BaseDatabaseWrapper
) -> Iterator[str]:
    """Django's SQL for a migration, which is not applied."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(before.clone(), editor, collect_sql=True)
    yield from (str(each) for each in editor.collected_sql)
