"""systemd learns that the queue runs, and nothing from one that hangs: it is started anew."""

from __future__ import annotations

import os
import socket

import pytest

from threadsite import systemd


@pytest.fixture
def notices(tmp_path, monkeypatch):
    """The socket that systemd gives a service."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_it_is_told_at_the_start_and_with_each_beat(notices):
    looked = []
    beat = systemd.with_watchdog(lambda: looked.append(1))
    beat()

    assert [notices.recv(100), notices.recv(100)] == [b"READY=1", b"WATCHDOG=1"]
    assert looked == [1]


def test_a_look_that_fails_is_no_sign_of_life(notices):
    def hangs() -> None:
        raise TimeoutError

    beat = systemd.with_watchdog(hangs)
    with pytest.raises(TimeoutError):
        beat()

    assert notices.recv(100) == b"READY=1"
    notices.settimeout(0)
    with pytest.raises(BlockingIOError):
        notices.recv(100)


def test_an_abstract_socket_serves_too(monkeypatch):
    name = f"threadsite-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        systemd.notify("READY=1")

        assert listening.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_without_systemd_nothing_happens(monkeypatch, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    systemd.notify("READY=1")
