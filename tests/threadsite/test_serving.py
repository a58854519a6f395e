"""From a restored database nothing is served, and who asks is told so, by page and by program."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from accounts.models import ErasureEntry
from accounts.services.erasure import erasure_list, restored_backup
from threadsite import health, serving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def as_a_new_process(monkeypatch):
    monkeypatch.setattr(serving, "_known", serving._Known())


@pytest.fixture
def brought_back(account, clock) -> None:
    """The list holds an erasure that the database does not know."""
    restored_backup.compare()
    ErasureEntry.objects.create(
        kind="account", fingerprint="f" * 64, owner_fingerprint="o" * 64, at=clock()
    )
    erasure_list.ship()
    ErasureEntry.objects.all().delete()


def ask(path: str) -> tuple[str, dict[str, str], bytes]:
    """(status, headers, body) of the guarded site; "200 OK" is the site itself."""
    answered: list[Any] = []

    def site(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"the site"]

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        answered.extend([status, dict(headers)])

    body = b"".join(serving.Guarded(site)({"PATH_INFO": path}, start_response))
    return answered[0], answered[1], body


@pytest.mark.usefixtures("brought_back")
def test_a_page_and_a_program_are_told_that_the_site_is_being_restored():
    status, headers, body = ask("/")
    assert status.startswith("503")
    assert headers["Retry-After"] == "60"
    assert b"being restored from a backup" in body

    status, headers, body = ask("/api/v1/accounts/")
    assert status.startswith("503")
    assert headers["Content-Type"].startswith("application/problem+json")
    assert b'"code": "restoring"' in body


@pytest.mark.usefixtures("brought_back")
def test_who_watches_the_site_is_answered_all_the_same():
    assert ask("/healthz")[0] == ask("/readyz")[0] == "200 OK"

    serving.refusal(fresh=True)

    assert "older than the list" in health.readiness()["erasures"]


@pytest.mark.usefixtures("brought_back")
def test_neither_web_nor_queue_starts():
    with pytest.raises(ImproperlyConfigured, match="older than the list"):
        serving.check_start()
    with pytest.raises(CommandError, match="older than the list"):
        call_command("queue")


@pytest.mark.usefixtures("brought_back")
def test_the_site_opens_by_itself_once_everything_is_erased_again(monkeypatch):
    assert ask("/")[0].startswith("503")

    call_command("replay_erasures", stdout=io.StringIO())

    monkeypatch.setattr(serving, "AGAIN_SECONDS", 0.0)
    assert ask("/")[0] == "200 OK"


def test_a_database_that_is_exchanged_under_a_running_process_is_noticed(
    account, clock, monkeypatch
):
    restored_backup.compare()
    assert ask("/")[0] == "200 OK"
    ErasureEntry.objects.create(
        kind="account", fingerprint="f" * 64, owner_fingerprint="o" * 64, at=clock()
    )
    erasure_list.ship()
    ErasureEntry.objects.all().delete()
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.0)
    assert ask("/")[0] == "200 OK"  # the same database: nothing is compared

    monkeypatch.setattr(restored_backup, "database_identity", lambda: "another server")

    assert ask("/")[0].startswith("503")


def test_a_server_that_is_still_recovering_is_waited_for(account, monkeypatch):
    monkeypatch.setattr(
        restored_backup, "database_identity", lambda: f"1:{restored_backup.RECOVERING}:2"
    )

    assert "still recovering" in serving.refusal(fresh=True)


def test_a_new_site_is_served(db):
    assert serving.refusal(fresh=True) == ""
    assert ask("/")[0] == "200 OK"
