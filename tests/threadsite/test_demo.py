"""Whoever starts the demo amiss is told what to set; whoever ends it, ends all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from threadsite.supervisor import Supervisor

ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize(
    ("ports", "told"),
    [
        ({"PORT": "abc"}, "PORT must be a whole number"),
        ({"PORT": "70000"}, "PORT must lie between"),
        ({"PORT": "8969", "SANDBOX_PORT": "8969"}, "both 8969"),
    ],
)
def test_a_port_that_cannot_be_is_named(tmp_path: Path, ports: dict[str, str], told: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "threadsite.demo"],
        env={"PATH": os.environ["PATH"], "THREADSITE_HOME": str(tmp_path), **ports},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert ended.returncode == 1
    assert ended.stdout.startswith("The demo cannot run: ")
    assert told in ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", ENDINGS)
def test_a_closed_terminal_ends_the_demo_as_ctrl_c_does(
    tmp_path: Path, number: signal.Signals
) -> None:
    before = {each: signal.getsignal(each) for each in ENDINGS}
    supervisor = Supervisor(folder=tmp_path, environment={})
    try:
        supervisor.listen()
        os.kill(os.getpid(), number)
        assert supervisor.stopping.wait(5)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
