"""Process supervisor: starts child processes, restarts them, and ends them when it stops.

Each child leads a session of its own, so that Ctrl-C reaches only the supervisor, which then ends
the children in order. Children left by a killed supervisor are found from a file of process ids and
ended before the next start.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psutil

#: After more ends than this within a minute, the supervisor gives up or pauses.
RESTARTS_PER_MINUTE = 5
#: Without giving up, a child is restarted after 1, 2, 4 … seconds, at most so many.
LONGEST_PAUSE = 30.0
STOP_SECONDS = 10.0
#: From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A process to keep running: its name, command and current process.

    Its output goes to a log of its own unless it uses the terminal (`inherit_output`).
    """

    name: str
    command: Sequence[str]
    inherit_output: bool = False
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    start_at: float = 0.0
    """Not before this moment of `time.monotonic`."""


class StopRequest:
    """An event that a signal handler may set at any time: it takes no lock.

    `threading.Event` does, and deadlocks when a signal comes while it is set or waited for.
    """

    def __init__(self) -> None:
        self._asked = False
        self._wakes, self._written = os.pipe()
        os.set_blocking(self._written, False)

    def set(self) -> None:
        """Request the stop and wake waiters."""
        self._asked = True
        # A full pipe wakes waiters as well.
        with contextlib.suppress(BlockingIOError):
            os.write(self._written, b"!")

    def is_set(self) -> bool:
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Sleep for at most so long; whether a stop was requested."""
        if not self._asked:
            select.select([self._wakes], [], [], seconds)
        return self._asked


class Supervisor:
    """Starts children, restarts those that die, and stops all on SIGINT or SIGTERM.

    `gives_up`: a child that keeps dying ends the run. Otherwise it is restarted for ever, after
    growing pauses: what it needs may be away for a while.
    """

    def __init__(
        self,
        *,
        folder: Path,
        environment: Mapping[str, str],
        keep_pids: bool = True,
        stop_seconds: float = STOP_SECONDS,
        gives_up: bool = True,
    ) -> None:
        self.folder = folder
        self.stop_seconds = stop_seconds
        self.gives_up = gives_up
        self.environment = dict(environment)
        self.children: list[Child] = []
        self.stopping = StopRequest()
        self._pids = folder / "processes.json" if keep_pids else None

    def end_leftovers(self) -> None:
        """End the process groups that a killed supervisor left behind."""
        if self._pids is None:
            return
        for pid, created in _noted(self._pids):
            try:
                leftover = psutil.Process(pid)
                # Process ids are reused; the start time tells them apart.
                if abs(leftover.create_time() - created) < 1 and os.getpgid(pid) == pid:
                    os.killpg(pid, signal.SIGKILL)
                    leftover.wait(STOP_SECONDS)
            except (psutil.Error, OSError, ValueError):
                continue
        self._pids.unlink(missing_ok=True)

    def listen(self) -> None:
        """From here on SIGINT, SIGTERM and SIGHUP end the run, not the interpreter."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping.set()

    def start(self, child: Child) -> None:
        """Start a child in a session of its own."""
        log = self.folder / "logs" / f"{child.name}.log"
        output = None if child.inherit_output else log.open("ab")
        try:
            child.process = subprocess.Popen(
                child.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        finally:
            if output is not None:
                output.close()
        if child not in self.children:
            self.children.append(child)
        self._note_pids()

    def run(
        self, on_death: Callable[[Child], None], on_beat: Callable[[], None] | None = None
    ) -> None:
        """Check twice a second until a signal comes, and restart what has ended."""
        beats = 0
        while not self.stopping.wait(0.5):
            beats += 1
            if on_beat is not None:
                on_beat()
            for child in self.children:
                if beats % 120 == 0:
                    child.restarts = 0
                if child.start_at or (child.process is not None and has_ended(child.process)):
                    self._restart(child, on_death)

    def _restart(self, child: Child, on_death: Callable[[Child], None]) -> None:
        now = time.monotonic()
        if child.start_at == 0.0:
            end_group(child, self.stop_seconds)
            on_death(child)
            child.restarts += 1
            if self.gives_up and child.restarts > RESTARTS_PER_MINUTE:
                self.stopping.set()
                return
            pause = 0.0 if self.gives_up else min(2.0 ** (child.restarts - 1), LONGEST_PAUSE)
            child.start_at = now + pause
        if now >= child.start_at:
            child.start_at = 0.0
            self.start(child)

    def stop(self) -> None:
        """End every child with its process group, the last started first."""
        for child in reversed(self.children):
            end_group(child, self.stop_seconds)
        if self._pids is not None:
            self._pids.unlink(missing_ok=True)

    def _note_pids(self) -> None:
        if self._pids is None:
            return
        running = []
        for child in self.children:
            if child.process is not None and not has_ended(child.process):
                pid = child.process.pid
                try:
                    running.append((pid, psutil.Process(pid).create_time()))
                except psutil.Error:
                    continue
        # Atomic: a kill may come at any moment.
        written = self._pids.with_suffix(".new")
        written.write_text(json.dumps(running), encoding="utf-8")
        written.replace(self._pids)


def _noted(path: Path) -> list[tuple[int, float]]:
    """(process id, start time) of each child in the file; none from a damaged file."""
    try:
        return [(int(pid), float(born)) for pid, born in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return []


def _end_with_parent() -> None:
    """Have Linux send SIGTERM when the supervisor is killed; elsewhere the next start cleans up."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, without reaping it: until then its id is not reused."""
    if process.returncode is not None:
        return True
    if not hasattr(os, "waitid"):  # on some systems; there the id may be reused
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def end_group(child: Child, seconds: float = STOP_SECONDS) -> None:
    """SIGTERM, some seconds of grace, then SIGKILL to the rest of the group.

    The child is reaped last: its id is also that of its group.
    """
    if child.process is None or child.process.returncode is not None:
        return
    process = child.process
    if not has_ended(process):
        process.terminate()
        deadline = time.monotonic() + seconds
        while not has_ended(process) and time.monotonic() < deadline:
            time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
