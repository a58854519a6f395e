"""The next release: a copy of the project with one more column, its migration and code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from drills.stage import Host
from threadsite import environment
from threadsite.demo import launcher
from threadsite.supervisor import Child

PARTS = ("accounts", "followersync", "threadsite", "tests/deploys")
FILES = ("manage.py", "pyproject.toml", "tests/__init__.py")
MODEL = Path("followersync/models/settings.py")
BEFORE = '    class Meta:\n        verbose_name = "sync settings"\n'
SAFE = 'models.CharField(max_length=40, default="", db_default="")'
#: As `makemigrations` writes it: new rows written by old code would have no value.
UNSAFE = 'models.CharField(max_length=40, default="")'
MIGRATION = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("followersync", "{last}")]
    operations = [
        migrations.AddField("SyncSettings", "label", {field}),
        AddIndexConcurrently(
            "SyncSettings", models.Index(fields=["label"], name="syncsettings_label")
        ),
    ]
"""
#: A migration that waits for a lock gives up and is retried, so that it blocks nobody.
PATIENCE = "-c lock_timeout=5s"


class Release:
    """The copy, in a folder of its own."""

    def __init__(self, folder: Path, field: str = SAFE) -> None:
        self.folder = folder
        for part in PARTS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(environment.CODE / part, folder / part, ignore=ignored)
        for name in FILES:
            shutil.copy(environment.CODE / name, folder / name)
        migrations = folder / "followersync" / "migrations"
        self.last = max(path.stem for path in migrations.glob("[0-9]*.py"))
        self.name = f"{int(self.last[:4]) + 1:04d}_label_of_the_drill"
        text = MIGRATION.format(last=self.last, field=field)
        (migrations / f"{self.name}.py").write_text(text, encoding="utf-8")
        self._change_the_model(field)

    def _change_the_model(self, field: str) -> None:
        path = self.folder / MODEL
        text = path.read_text(encoding="utf-8")
        if text.count(BEFORE) != 1:
            raise RuntimeError(f"{MODEL} has changed: the drill does not know where to add to it")
        path.write_text(text.replace(BEFORE, f"    label = {field}\n\n{BEFORE}"), encoding="utf-8")

    def lint(self, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run `make lint`'s check of its migrations."""
        return self._run([sys.executable, "-m", "tests.deploys"], variables)

    def migrate(self, variables: dict[str, str], *target: str) -> subprocess.CompletedProcess[str]:
        """Bring the tables up to this release, or to `target`."""
        command = [sys.executable, "manage.py", "migrate", "--no-input", *target]
        return self._run(command, {**variables, "PGOPTIONS": PATIENCE})

    def _run(
        self, command: list[str], variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )


class NextHost(Host):
    """A host with the next release."""

    release: Release

    def start(self, name: str) -> None:
        """Start `web` or `queue` in the release's folder, with its code."""
        python = ["env", "-C", str(self.release.folder), sys.executable]
        if name == "web":
            web = launcher.web_command(self.port)
            place = web.index("--chdir")
            command = [*python, *web[1:place], *web[place + 2 :]]
        else:
            command = [*python, "manage.py", "queue"]
        with self._lock:
            self._supervisor.environment = dict(self.environment)
            self._children[name] = Child(name, command)
            self._supervisor.start(self._children[name])
