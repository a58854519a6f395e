"""Two hosts that do not share their files are found before members lose what they sent."""

from __future__ import annotations

import pytest
from django.core import checks

from accounts.services import hosts
from tests.support.clock import Clock
from threadsite import diagnosis, serving

pytestmark = pytest.mark.django_db


def test_two_hosts_that_share_a_storage_are_well(kept_in, on_host):
    for name in ("one", "two"):
        on_host(name)
        hosts.beat()

    assert [host.name for host in hosts.alive()] == ["one", "two"]
    assert hosts.not_shared().get("files") is None


def test_two_hosts_with_a_folder_each_are_found_and_said(on_host, clock: Clock, monkeypatch):
    monkeypatch.setattr(serving, "_known", serving._Known())
    for name in ("one", "two"):
        on_host(name)
        hosts.beat()

    assert hosts.not_shared()["files"] == ["one", "two"]
    (words, *_others) = serving.not_shared()
    assert "one, two do not share the storage of files" in words
    assert "Set the same FILES_URL" in words
    assert words in [finding.what for finding in diagnosis._storages()]
    told = {message.id for message in checks.run_checks(databases=["default"])}
    assert "accounts.W010" in told


def test_a_host_that_is_gone_counts_no_more(on_host, clock: Clock):
    on_host("one")
    hosts.beat()
    clock.advance(minutes=6)
    on_host("two")
    hosts.beat()

    assert hosts.not_shared() == {}


def test_a_storage_that_does_not_answer_stops_no_sign_of_life(on_host, settings, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings.FILES_URL = (blocked / "files").as_uri()
    on_host("one")

    hosts.beat()

    assert "files" not in hosts.alive()[0].facts
