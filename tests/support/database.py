"""A PostgreSQL of the test run's own, started before Django reads its settings.

Loaded early (`-p tests.support.database`). DATABASE_URL, when set, is used instead.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

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
_server: EmbeddedServer | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Set what settings.py reads, and start the server in the run's first process."""
    global _server
    os.environ["DJANGO_SETTINGS_MODULE"] = "threadsite.settings"
    for name, value in ENVIRONMENT.items():
        os.environ[name] = value
    if os.environ.get("DATABASE_URL"):
        return
    home = environment.home()
    _sweep(home)
    _server = EmbeddedServer(home / f"tests-{os.getpid()}" / "postgres", FAST)
    os.environ["DATABASE_URL"] = _server.start()


def pytest_configure() -> None:
    """Let the flush between tests empty the append-only ledger (nothing else may); hash fast."""
    from django.conf import settings
    from django.db.backends.postgresql.operations import DatabaseOperations

    def flush(self: DatabaseOperations, sql_list: list[str]) -> None:
        # Triggers sleep in a session whose role is "replica"; only a superuser may say so.
        lifted = ["SET session_replication_role = replica", *sql_list]
        execute_sql_flush(self, [*lifted, "SET session_replication_role = DEFAULT"])

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    execute_sql_flush = DatabaseOperations.execute_sql_flush
    DatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign,assignment]


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
