"""A running site is broken, and nobody loses anything: the drills that take less than a minute."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from drills.__main__ import names, what

ROOT = Path(__file__).resolve().parents[2]
PORTS = 10


def free_ports() -> int:
    """The first of ten free ports, one after another."""
    for first in range(18_100 + os.getpid() % 300 * 10, 32_000, PORTS):
        with ExitStack() as stack:
            try:
                for port in range(first, first + PORTS):
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no ten free ports")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["postgres-restart", "queue-killed", "worker-killed"])
def test_members_lose_nothing_and_all_is_well_by_itself(name: str) -> None:
    command = [sys.executable, "-m", "drills", name, "--port", str(free_ports())]

    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_each_drill_says_what_it_breaks() -> None:
    assert len(names()) >= 7
    for name in names():
        assert what(name).endswith("."), name
