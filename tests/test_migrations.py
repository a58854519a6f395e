"""An operator can go forward and back, and no change of a model is left without its migration."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

OURS = ("accounts", "followersync", "threadsite")


@pytest.mark.django_db
def test_no_model_differs_from_its_migrations():
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


@pytest.mark.django_db
def test_the_migrations_of_each_app_stand_in_one_line():
    loader = MigrationLoader(connection)
    for app in OURS:
        assert len(loader.graph.leaf_nodes(app)) == 1, app
        numbers = sorted(
            int(name.split("_")[0]) for label, name in loader.disk_migrations if label == app
        )
        assert numbers == list(range(1, len(numbers) + 1)), app


def test_every_migration_says_what_it_does_by_its_name():
    for app in OURS:
        for path in (Path(__file__).resolve().parent.parent / app / "migrations").glob("0*.py"):
            assert not re.search(r"_auto_|_initial|_\d{8}", path.stem), path


@pytest.mark.django_db
def test_every_migration_can_be_undone():
    loader = MigrationLoader(connection)
    for key, migration in loader.disk_migrations.items():
        if key[0] in OURS:
            assert all(operation.reversible for operation in migration.operations), key
