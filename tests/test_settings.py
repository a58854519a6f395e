"""An operator who forgets or mistypes a setting learns its name at the start, not from a crash."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.database import ENVIRONMENT

REQUIRED = [
    "SECRET_KEY",
    "TOKEN_KEYS",
    "INSTAGRAM_CLIENT_ID",
    "INSTAGRAM_CLIENT_SECRET",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
]


def start(
    tmp_path, module: str = "settings", **changes: str | None
) -> subprocess.CompletedProcess[str]:
    settings = {**ENVIRONMENT, "PATH": os.environ["PATH"], "THREADSITE_HOME": str(tmp_path)}
    settings |= {name: value for name, value in changes.items() if value is not None}
    settings = {
        name: value for name, value in settings.items() if changes.get(name, "") is not None
    }
    return subprocess.run(
        [sys.executable, "-c", f"import threadsite.{module}"],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_complete_environment_starts(tmp_path):
    assert start(tmp_path).returncode == 0


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_setting_stops_the_start_and_is_named(tmp_path, name):
    outcome = start(tmp_path, **{name: None})

    assert outcome.returncode != 0
    assert f"{name} is not set" in outcome.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN_KEYS", "c2hvcnQ="),
        ("TOKEN_KEYS", "not base64 at all"),
        ("DEBUG", "perhaps"),
        ("SYNC_INTERVAL_MINUTES_DEFAULT", "soon"),
        ("SYNC_INTERVAL_MINUTES_DEFAULT", "0"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("INSTAGRAM_GRAPH_URL", "graph.instagram.com"),
        ("DATABASE_URL", "mysql://localhost/threadsite"),
        ("DATABASE_URL", "postgresql://localhost:many/threadsite"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("REDIS_URL", "localhost:6379"),
        ("ALLOWED_HOSTS", ","),
    ],
)
def test_a_malformed_setting_stops_the_start_and_is_named(tmp_path, name, value):
    outcome = start(tmp_path, **{name: value})

    assert outcome.returncode != 0
    assert name in outcome.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSENT_LEDGER_KEY", "short"),
        ("SUPPRESSION_KEY", "short"),
        ("RECEIPT_KEYS", "short"),
        ("RETENTION_DAYS", "nosuch=3"),
        ("INSTAGRAM_FOLLOWERS_EDGE", "a/b"),
        ("OIDC_PRIVATE_KEY", "short"),
    ],
)
def test_the_site_does_not_start_with_what_the_checks_refuse(tmp_path, name, value):
    outcome = start(tmp_path, "wsgi", **{name: value})

    assert outcome.returncode != 0
    assert name in outcome.stderr


@pytest.mark.slow
def test_the_site_starts_with_a_complete_environment(tmp_path):
    outcome = start(tmp_path, "wsgi")

    assert outcome.returncode == 0, outcome.stderr


def test_no_message_shows_a_secret(tmp_path):
    outcome = start(tmp_path, TOKEN_KEYS="c2VjcmV0LXRoYXQtaXMtc2hvcnQ=")

    assert "c2VjcmV0" not in outcome.stderr
