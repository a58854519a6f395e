"""A backup brings back nobody whom the site has erased: a dump, and recovery to a moment."""

from __future__ import annotations

import socket

import pytest

from drills.cases import recovery, restore
from drills.stage import Options


@pytest.mark.slow
@pytest.mark.parametrize("drill", [restore, recovery], ids=["dump", "recovery"])
def test_from_a_restored_database_nothing_is_served_until_it_is_erased_again(drill, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    report = drill.run(Options(port=port))

    assert report.faults == []
    assert report.passed
