"""Two hosts that do not share their files are found before members lose what they sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import checks

from accounts.models import SiteProcess
from accounts.services import hosts, processes
from tests.support.clock import Clock
from threadsite import doctor, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def live_on(on_host: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Callable:
    """A web process of this host looks which storages it reaches, and says so."""
    monkeypatch.setattr(hosts, "_marks", {})

    def live(name: str) -> None:
        on_host(name)
        hosts.look()
        processes.report(processes.new_id(), SiteProcess.Kind.WEB)

    return live


def test_two_hosts_that_share_a_storage_are_well(kept_in, live_on):
    for name in ("one", "two"):
        live_on(name)

    assert hosts.living() == ["one", "two"]
    assert hosts.not_shared().get("files") is None


def test_two_hosts_with_a_folder_each_are_found_and_said(live_on, clock: Clock, monkeypatch):
    monkeypatch.setattr(serving, "_known", serving._Known())
    for name in ("one", "two"):
        live_on(name)

    assert hosts.not_shared()["files"] == ["one", "two"]
    (words, *_others) = serving.not_shared()
    assert "one, two do not share the storage of files" in words
    assert "Set the same FILES_URL" in words
    assert words in [finding.what for finding in doctor._storages()]
    told = {message.id for message in checks.run_checks(databases=["default"])}
    assert "accounts.W010" in told


def test_a_host_that_just_starts_is_compared_with_those_that_run(live_on, on_host, monkeypatch):
    live_on("one")
    on_host("two")

    found = hosts.not_shared(hosts.look())

    assert found["files"] == ["one", "two"]


def test_a_host_that_is_gone_counts_no_more(live_on, clock: Clock):
    live_on("one")
    clock.advance(minutes=2)
    live_on("two")

    assert hosts.living() == ["two"]
    assert hosts.not_shared() == {}


def test_a_storage_that_does_not_answer_stops_no_sign_of_life(live_on, settings, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings.FILES_URL = (blocked / "files").as_uri()

    live_on("one")

    assert "files" not in SiteProcess.objects.get().marks
