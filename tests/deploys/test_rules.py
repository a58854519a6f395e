"""A migration that would stop the site, or break the code of before, does not pass `make lint`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import connections, models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelTable,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveField,
    RemoveIndex,
    RenameField,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models.functions import Now

from accounts.models.deletion import new_code
from tests.deploys.collect import sql_of
from tests.deploys.rules import FIRST_SET, findings, is_bound

NOTHING = RunPython.noop


@pytest.fixture(scope="module")
def judged(django_db_setup, django_db_blocker) -> Iterator[Callable[..., set[str]]]:
    """The rules that a migration of the app `followersync` breaks."""
    # Outside of the test's transaction, in which nothing can be done CONCURRENTLY.
    connection = connections.create_connection("default")
    with django_db_blocker.unblock():
        before = MigrationLoader(connection).project_state()

    def judge(*operations: Operation, atomic: bool = True, **more: Any) -> set[str]:
        made = type("Migration", (Migration,), {"operations": operations, "atomic": atomic, **more})
        migration = made("9999_sample", "followersync")
        with django_db_blocker.unblock():
            statements = list(sql_of(migration, before, connection))
        return {each.rule for each in findings(migration, statements, before)}

    yield judge
    connection.close()


def column(field: models.Field) -> AddField:
    return AddField("SyncSettings", "sample", field)


INDEX = models.Index(fields=["reported"], name="sample_index")
CHECK = models.CheckConstraint(condition=models.Q(head__gte=0), name="sample_check")
UNSAFE: dict[str, tuple[list[Operation], str]] = {
    "a column that old code does not fill": (
        [column(models.IntegerField(default=0))],
        "ban-drop-default",
    ),
    "a column whose default rewrites each row": (
        [column(models.UUIDField(db_default=models.Func(function="gen_random_uuid")))],
        "adding-field-with-default",
    ),
    "a generated column": (
        [
            column(
                models.GeneratedField(
                    expression=models.F("head") + 1,
                    output_field=models.BigIntegerField(),
                    db_persist=True,
                )
            )
        ],
        "adding-field-with-default",
    ),
    "a unique column": (
        [column(models.IntegerField(null=True, unique=True))],
        "disallowed-unique-constraint",
    ),
    "a column with an index": (
        [column(models.IntegerField(null=True, db_index=True))],
        "require-concurrent-index-creation",
    ),
    "a reference that is checked at once": (
        [column(models.ForeignKey("accounts.LinkedAccount", models.DO_NOTHING, null=True))],
        "adding-foreign-key-constraint",
    ),
    "an index": ([AddIndex("SyncSettings", INDEX)], "require-concurrent-index-creation"),
    "an index that goes": (
        [RemoveIndex("SyncSettings", "syncsettings_due")],
        "require-concurrent-index-deletion",
    ),
    "a constraint that is checked at once": (
        [AddConstraint("SyncSettings", CHECK)],
        "constraint-missing-not-valid",
    ),
    "a constraint checked in the transaction that adds it": (
        [
            AddConstraintNotValid("SyncSettings", CHECK),
            ValidateConstraint("SyncSettings", CHECK.name),
        ],
        "constraint-missing-not-valid",
    ),
    "another type": (
        [AlterField("SyncSettings", "failures", models.BigIntegerField(default=0))],
        "changing-column-type",
    ),
    "null no more": (
        [AlterField("SyncSettings", "reported", models.BigIntegerField())],
        "adding-not-nullable-field",
    ),
    "another name": ([RenameField("SyncSettings", "head", "newest")], "renaming-column"),
    "another table": ([AlterModelTable("SyncSettings", "elsewhere")], "renaming-table"),
    "a column that goes": ([RemoveField("SyncSettings", "reported")], "ban-drop-column"),
    "a table that goes": ([DeleteModel("CallBudget")], "ban-drop-table"),
    "a column in use that goes by SQL": (
        [RunSQL("ALTER TABLE followersync_syncsettings DROP COLUMN reported", "SELECT 1")],
        "ban-drop-column",
    ),
    "two columns, one of them in use": (
        [
            RunSQL(
                "ALTER TABLE followersync_syncsettings DROP COLUMN gone, DROP COLUMN reported",
                "SELECT 1",
            )
        ],
        "ban-drop-column",
    ),
    "a table locked whole": (
        [RunSQL("/* now */ LOCK TABLE accounts_user", "SELECT 1")],
        "locks-a-whole-table",
    ),
    "a table rewritten": (
        [RunSQL("SELECT 1; VACUUM (FULL) accounts_user", "SELECT 1")],
        "locks-a-whole-table",
    ),
    "SQL without a way back": ([RunSQL("SELECT 1")], "irreversible"),
    "rows without a way back": ([RunPython(NOTHING, elidable=True)], "irreversible"),
    "rows that a squashed set repeats": ([RunPython(NOTHING, NOTHING)], "not-elidable"),
    "all rows in one transaction": ([RunPython(NOTHING, NOTHING, elidable=True)], "not-batched"),
    "all rows in one statement": (
        [RunSQL("UPDATE accounts_user SET first_name = ''", "SELECT 1", elidable=True)],
        "not-batched",
    ),
    "rows beside tables": (
        [
            column(models.IntegerField(null=True)),
            RunPython(NOTHING, NOTHING, elidable=True),
        ],
        "rows-and-tables",
    ),
    "a column forgotten that new code does not fill": (
        [SeparateDatabaseAndState(state_operations=[RemoveField("SyncSettings", "head")])],
        "forgotten-without-default",
    ),
}
SAFE: dict[str, tuple[list[Operation], bool]] = {
    "a column with a default of the database": (
        [column(models.CharField(max_length=9, default="", db_default=""))],
        True,
    ),
    "the time of the migration as default": (
        [column(models.DateTimeField(db_default=Now()))],
        True,
    ),
    "a column that may be null": ([column(models.IntegerField(null=True))], True),
    "an index built beside the work": ([AddIndexConcurrently("SyncSettings", INDEX)], False),
    "an index dropped beside the work": (
        [RemoveIndexConcurrently("SyncSettings", "syncsettings_due")],
        False,
    ),
    "a constraint for new rows": ([AddConstraintNotValid("SyncSettings", CHECK)], True),
    "a table of its own, with index and reference": (
        [
            CreateModel(
                "Sample",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("code", models.CharField(max_length=32, default=new_code, unique=True)),
                    ("account", models.ForeignKey("accounts.LinkedAccount", models.DO_NOTHING)),
                ],
            )
        ],
        True,
    ),
    "a column that the code forgets": (
        [SeparateDatabaseAndState(state_operations=[RemoveField("SyncSettings", "reported")])],
        True,
    ),
    "a column that the code has forgotten": (
        [RunSQL("ALTER TABLE followersync_syncsettings DROP COLUMN gone", "SELECT 1")],
        True,
    ),
    "rows in batches": ([RunPython(NOTHING, NOTHING, elidable=True)], False),
}


@pytest.mark.parametrize("what", UNSAFE)
def test_a_migration_that_stops_the_site_or_breaks_old_code_is_refused(judged, what):
    operations, rule = UNSAFE[what]

    assert rule in judged(*operations)


@pytest.mark.parametrize("what", SAFE)
def test_a_safe_way_to_the_same_end_passes(judged, what):
    operations, atomic = SAFE[what]

    assert judged(*operations, atomic=atomic) == set()


def test_an_excuse_needs_a_reason_and_something_to_excuse(judged):
    wider = AlterField("SyncSettings", "digest", models.CharField(max_length=99, default="0" * 64))

    assert judged(wider) == {"changing-column-type"}
    assert judged(wider, reviewed={"changing-column-type": " "}) == {"changing-column-type"}
    assert judged(wider, reviewed={"changing-column-type": "a varchar that grows"}) == set()
    index = AddIndexConcurrently("SyncSettings", INDEX)
    assert judged(index, atomic=False, reviewed={"x": "y"}) == {"needless-review"}


def test_the_first_set_is_free_and_whatever_comes_after_is_bound():
    for app, last in FIRST_SET.items():
        names = [name for label, name in MigrationLoader(None).disk_migrations if label == app]
        assert any(name.startswith(f"{last:04d}_") for name in names), app
        assert not is_bound(app, f"{last:04d}_any")
        assert is_bound(app, f"{last + 1:04d}_any")
    assert not is_bound("django_q", "0099_any")


def test_every_migration_on_disk_may_be_deployed():
    """On a database of its own, hence in a process of its own."""
    lint = [sys.executable, "-m", "tests.deploys"]
    outcome = subprocess.run(lint, capture_output=True, text=True, check=False)

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
