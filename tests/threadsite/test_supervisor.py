"""Whoever runs the demo loses no process of theirs to it, whatever a kill left in its folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from threadsite.supervisor import Child, Supervisor, end_group, has_ended

ROOT = Path(__file__).resolve().parents[2]
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's process, leader of a group as each of ours is."""
    process = subprocess.Popen(SLEEP, start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    (tmp_path / "logs").mkdir()
    running = Supervisor(folder=tmp_path, environment=os.environ)
    yield running
    running.stop()


def test_what_a_killed_supervisor_left_is_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    child = Child("left", SLEEP)
    supervisor.start(child)
    assert child.process is not None

    Supervisor(folder=tmp_path, environment={}).end_leftovers()

    assert child.process.poll() is not None


@pytest.mark.parametrize("shift", [-3600.0, -2.0, 2.0, 3600.0])
def test_a_process_that_got_the_number_of_one_of_ours_is_left_alone(
    supervisor: Supervisor, tmp_path: Path, bystander: subprocess.Popen[bytes], shift: float
) -> None:
    born = psutil.Process(bystander.pid).create_time()
    (tmp_path / "processes.json").write_text(json.dumps([[bystander.pid, born + shift]]))

    supervisor.end_leftovers()

    assert bystander.poll() is None


@pytest.mark.parametrize(
    "left", ["", "[[12", "{}", "[1]", '[["x", 1]]', "[[-1, 0]]", "[[1e400, 0]]"]
)
def test_a_damaged_file_of_processes_keeps_nothing_from_starting(
    supervisor: Supervisor, tmp_path: Path, left: str
) -> None:
    (tmp_path / "processes.json").write_text(left)

    supervisor.end_leftovers()

    supervisor.start(Child("next", SLEEP))


def test_the_number_of_a_dead_child_stays_ours_until_its_group_is_ended() -> None:
    code = (
        "import subprocess, sys; left = subprocess.Popen([sys.executable, '-c',"
        "'import time; time.sleep(600)']); print(left.pid, flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    grandchild = psutil.Process(int(process.stdout.readline()))
    until(lambda: has_ended(process))

    assert has_ended(process)
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    end_group(Child("parent", [], process=process))

    until(lambda: not alive(grandchild))
    assert process.returncode == 0
    process.stdout.close()


def test_a_group_that_is_gone_is_not_signalled_again(bystander: subprocess.Popen[bytes]) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    ended.wait()
    ended.pid = bystander.pid  # as if the number had been given to somebody else

    end_group(Child("ended", [], process=ended))

    assert bystander.poll() is None


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


#: Runs until a signal comes, and gets one at the N-th line that Python runs while it waits.
INTERRUPTED = """
import signal, sys, threading
from pathlib import Path
from threadsite import supervisor
files, wanted = (supervisor.__file__, threading.__file__), int(sys.argv[1])
waiting = supervisor.Supervisor(folder=Path("."), environment={})
waiting.listen()
lines = 0
def interrupt(frame, event, argument):
    global lines
    if frame.f_code.co_filename not in files:
        return None
    lines += event == "line"
    if lines in (wanted, wanted + 1) and event == "line":
        signal.raise_signal(signal.SIGTERM)
    return interrupt
sys.settrace(interrupt)
waiting.run(on_death=print)
"""


@pytest.mark.parametrize("line", range(1, 16))
def test_two_signals_at_any_moment_end_it_and_never_hang_it(line: int) -> None:
    """An operator's SIGTERM and the machine's own, within a millisecond of each other."""
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(line)], timeout=10, check=False, cwd=ROOT
    )

    assert ended.returncode == 0
