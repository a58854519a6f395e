"""What every test can ask for; the fixtures themselves stand in tests/support."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from accounts import counters

pytest_plugins = [
    name
    for name in (
        "tests.support.api",
        "tests.support.clock",
        "tests.support.google",
        "tests.support.language",
        "tests.support.log_watch",
        "tests.support.members",
        "tests.support.oauth",
        "tests.support.outage",
        "tests.support.queue",
        "tests.support.sandbox",
        "tests.support.sessions",
        "tests.support.storages",
        "tests.support.sync",
        "tests.support.transfer",
    )
    if importlib.util.find_spec(name)
]


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path: Path) -> None:
    """No test meets another's files, nor its list of erasures."""
    settings.THREADSITE_HOME = tmp_path


@pytest.fixture(autouse=True)
def counts_wait_for_a_database(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests flush the site's counters now and then: not in tests that have no database."""
    if not {"db", "transactional_db"} & {*request.fixturenames} and not (
        request.node.get_closest_marker("django_db")
    ):
        monkeypatch.setattr(counters, "FLUSH_SECONDS", float("inf"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A thread of a server that a test started may hold its connection until the very end."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
