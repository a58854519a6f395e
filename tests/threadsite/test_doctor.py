"""Whatever is missing, `manage.py doctor` says it in words and goes on, without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from accounts import crypto
from accounts.models import DeletionRequest, PrivacyRequest, SiteProcess
from accounts.services import processes
from tests.support.database import ENVIRONMENT
from threadsite import doctor as diagnosis
from threadsite import heartbeat
from threadsite.doctor import Finding
from threadsite.embedded import EmbeddedServer

ROOT = Path(__file__).resolve().parents[2]
AWAY = "postgresql://nobody:secret-word@127.0.0.1:1/threads"


def doctor(home: Path, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """In a process of its own, with these settings changed; None takes one away."""
    variables: dict[str, str | None] = {
        **ENVIRONMENT,
        "PATH": os.environ["PATH"],
        "THREADSITE_HOME": str(home),
        "DATABASE_URL": AWAY,
        "INSTAGRAM_API_URL": "http://127.0.0.1:1",
        "INSTAGRAM_GRAPH_URL": "http://127.0.0.1:1",
        **changes,
    }
    outcome = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stdout + outcome.stderr, outcome.stderr
    return outcome


def examined() -> dict[str, str]:
    """What is not well, and what to do about it."""
    return {each.what: each.advice for each in diagnosis.examine() if not each.well}


def unwell(part: str) -> str:
    """The one finding that says this."""
    (found,) = (f"{what} {advice}" for what, advice in examined().items() if part in what)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY is not set"),
        ({"TOKEN_KEYS": "short"}, "TOKEN_KEYS: key number 1"),
        ({"DATABASE_URL": "mysql://localhost/x"}, "must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://[::1/x"}, "DATABASE_URL: "),
        ({"REDIS_URL": "localhost"}, "REDIS_URL must begin with"),
    ],
)
def test_a_setting_that_is_missing_or_malformed_is_named(tmp_path, changes, said):
    assert said in doctor(tmp_path, **changes).stderr


@pytest.mark.slow
def test_without_database_redis_folder_and_instagram_each_is_named(tmp_path):
    (tmp_path / "file").touch()

    outcome = doctor(tmp_path / "file" / "home", REDIS_URL="redis://127.0.0.1:1/0")

    assert "The database does not answer: " in outcome.stdout
    assert "Check DATABASE_URL" in outcome.stdout
    assert "Nothing can be written to THREADSITE_HOME" in outcome.stdout
    assert "http://127.0.0.1:1 does not answer." in outcome.stdout
    assert "secret-word" not in outcome.stdout + outcome.stderr


@pytest.mark.slow
def test_a_folder_that_cannot_hold_the_embedded_database_is_said(tmp_path):
    (tmp_path / "file").touch()

    outcome = doctor(tmp_path / "file" / "home", DATABASE_URL=None)

    assert "cannot be used: Not a directory" in outcome.stderr


@pytest.mark.slow
def test_a_database_without_tables_wants_to_be_migrated(tmp_path):
    server = EmbeddedServer(tmp_path / "postgres", {"fsync": "off"})
    try:
        outcome = doctor(tmp_path / "home", DATABASE_URL=server.start())
    finally:
        server.stop()

    assert "migrations are pending." in outcome.stdout
    assert "Run `manage.py migrate`." in outcome.stdout


@pytest.mark.django_db
def test_a_key_that_is_gone_is_found_before_a_member_finds_it(followed, settings):
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]

    assert "Put the key back" in unwell("TOKEN_KEYS opens 0 of the 1 newest stored tokens.")


@pytest.mark.django_db
def test_keys_that_fit_are_well(followed):
    token = followed.access_token
    token.ciphertext = crypto.encrypt("a token")
    token.save()

    assert [what for what in examined() if "TOKEN_KEYS" in what] == []


@pytest.mark.django_db
def test_a_queue_that_never_ran_is_said():
    assert "keep it running" in unwell("The queue has never run.")


@pytest.mark.django_db
def test_a_queue_that_stands_still_is_said(clock):
    processes.report("0badf00d", SiteProcess.Kind.QUEUE)
    processes.worked("0badf00d")
    clock.advance(seconds=2 * heartbeat.STALE_SECONDS)

    assert "keep it running" in unwell("The queue last proved alive 300 s ago.")


@pytest.mark.django_db
def test_what_is_overdue_by_law_is_said(clock, alice):
    late = clock() - timedelta(days=40)
    DeletionRequest.objects.create(channel="web", state="running", requested_at=late)
    PrivacyRequest.objects.create(kind="objection", received_at=late, due_at=late)

    assert "admin" in unwell("1 erasures overdue.")
    assert "admin" in unwell("1 requests of people overdue.")


@pytest.mark.django_db
def test_a_host_whose_clock_is_wrong_is_said(clock):
    clock.advance(hours=1)

    assert "NTP" in unwell("from the database's")


@pytest.mark.django_db
def test_a_redis_that_is_away_is_said(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {
        "default": {
            **settings.CACHES["default"],
            "BACKEND": "accounts.caches.RedisCache",
            "LOCATION": settings.REDIS_URL,
            "OPTIONS": {},
        }
    }

    assert "Check REDIS_URL" in unwell("Redis does not answer (ConnectionError).")


@pytest.mark.django_db
def test_a_proxy_that_is_not_counted_is_said(settings):
    settings.SECURE, settings.ALLAUTH_TRUSTED_PROXY_COUNT = True, 0

    assert "number of proxies" in unwell("TRUSTED_PROXY_COUNT is 0")


@pytest.mark.django_db
def test_a_look_that_fails_itself_is_told_and_the_others_go_on(monkeypatch):
    def broken() -> Iterator[Finding]:
        yield Finding(True, "Seen before.")
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setitem(diagnosis.OF_THE_TABLES, "the stars", broken)
    out = StringIO()

    with pytest.raises(CommandError, match="to look at"):
        call_command("doctor", stdout=out)

    assert "Looking at the stars failed (RuntimeError): first line" in out.getvalue()
    assert "second line" not in out.getvalue()
    assert "Seen before." in out.getvalue()
    assert "THREADSITE_HOME can be written to" in out.getvalue()
