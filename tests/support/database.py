"""A PostgreSQL of the test run's own, started before Django reads its settings.

Loaded early (`-p tests.support.database`). DATABASE_URL, when set, is used instead.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import hypothesis
import psutil
import pytest

from threadsite import environment
from threadsite.embedded import EmbeddedServer

#: Nothing here is worth keeping: durability only costs time.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "autovacuum": "off",
}
ENVIRONMENT = {
    "SECRET_KEY": "tests-only-secret-key-that-is-long-enough-to-sign-with",
    "TOKEN_KEYS": "dGVzdHMtb25seS10b2tlbi1rZXktMzItYnl0ZXMtISE=",
    "INSTAGRAM_CLIENT_ID": "990602627938098",
    "INSTAGRAM_CLIENT_SECRET": "appsecret",
    "INSTAGRAM_WEBHOOK_VERIFY_TOKEN": "meatyhamhock",
    "PUBLIC_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "DEBUG": "false",
    "STAFF_MFA_REQUIRED": "false",
    "LOG_LEVEL": "INFO",
}
#: Rows that follow from the code: made with the tables, and written by no test.
DECLARED = {"auth_permission", "django_content_type"}
#: Deleting a few rows is far cheaper than truncating every table, which makes new files for each.
#: But later reads pass over what was deleted, so large files go. Triggers, those of foreign keys
#: and of the ledger, sleep in a session whose role is "replica"; only a superuser may say so.
EMPTY = """
DO $$ BEGIN
  SET LOCAL session_replication_role = replica;
  IF (
    SELECT max(pg_relation_size(oid)) < 1048576 FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
  ) THEN {delete}; ELSE {truncate}; END IF;
END $$
"""
_server: EmbeddedServer | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Set what settings.py reads, and start the server in the run's first process."""
    global _server
    os.environ["DJANGO_SETTINGS_MODULE"] = "threadsite.settings"
    for name, value in ENVIRONMENT.items():
        os.environ[name] = value
    # For `make test-fast`; the whole suite draws hypothesis's usual number.
    hypothesis.settings.register_profile("fast", max_examples=20)
    if os.environ.get("DATABASE_URL"):
        return
    home = environment.home()
    _sweep(home)
    _server = EmbeddedServer(home / f"tests-{os.getpid()}" / "postgres", FAST)
    os.environ["DATABASE_URL"] = _server.start()


def pytest_configure() -> None:
    """Empty tables quickly between tests that commit, the append-only ledger too; hash fast."""
    from django.conf import settings
    from django.db.backends.postgresql.operations import DatabaseOperations

    def sql_flush(
        self: DatabaseOperations, style: object, tables: Iterable[str], **options: bool
    ) -> list[str]:
        quoted = sorted(self.quote_name(each) for each in tables if each not in DECLARED)
        rows = "; ".join(f"DELETE FROM {each}" for each in quoted)
        return [EMPTY.format(delete=rows, truncate=f"TRUNCATE {', '.join(quoted)}")]

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign,assignment]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: the collector need not walk it in each test."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Stop and remove the run's own server."""
    global _server
    if _server is not None:
        _server.stop()
        shutil.rmtree(_server.folder.parent, ignore_errors=True)
        _server = None


def _sweep(home: Path) -> None:
    """Stop and remove the servers of runs that were killed."""
    for folder in home.glob("tests-*"):
        pid = folder.name.removeprefix("tests-")
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            leftover = EmbeddedServer(folder / "postgres", FAST)
            try:
                leftover.start()
                leftover.stop()
            finally:
                shutil.rmtree(folder, ignore_errors=True)
