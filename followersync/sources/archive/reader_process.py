"""Reader process, parent side: starts it for one archive, and receives its batches.

A process of its own for hostile input can be killed, which frees its resources; a process that also
serves requests or has a database connection cannot. See `reader_worker` for the other side.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec

from followersync.sources.archive import frames
from followersync.sources.archive.batches import ColumnBatch
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.facts import Archive

_ROOT: Final = Path(__file__).resolve().parents[3]
_READ: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits of one archive: address space in bytes, processor time and silence in seconds.

    A million people take 60 MB and about a second; the longest silence is that of a long list of
    followed accounts, which is read only for its dates.
    """

    memory_bytes: int = 512 << 20
    cpu_seconds: int = 90
    silence_seconds: float = 90


DEFAULT: Final = Allowance()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What to do while the reader is silent: call `beat` every so many seconds."""

    beat: Callable[[], object] = lambda: None
    every: float = 3.0


STILL: Final = Waiting()


@contextmanager
def opened(
    file: IO[bytes],
    *,
    name: str,
    now: int,
    allowance: Allowance = DEFAULT,
    scratch: str = "",
    waiting: Waiting = STILL,
) -> Iterator[Archive]:
    """The archive, read by another process for as long as the context lasts.

    `file`: a real file, seekable. `scratch`: a folder for temporary files. Its `batches()` can be
    read once. An exception of `waiting.beat` ends the reading. Raises ArchiveError as
    `open_archive` does, and with `Problem.TOO_HEAVY` where the allowance is used up; RuntimeError
    for a bug of ours.
    """
    order = {
        "name": name,
        "now": now,
        "memory_bytes": allowance.memory_bytes,
        "cpu_seconds": allowance.cpu_seconds,
    }
    file.seek(0)
    process = subprocess.Popen(
        [
            sys.executable,
            "-Es",
            "-m",
            "followersync.sources.archive.reader_worker",
            json.dumps(order),
        ],
        cwd=_ROOT,
        env={"TMPDIR": scratch or tempfile.gettempdir()},
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
    )
    try:
        yield _archive(_Messages(process, allowance.silence_seconds, waiting))
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _archive(messages: _Messages) -> Archive:
    head = messages.next()
    if not isinstance(head, frames.Head):
        raise RuntimeError(f"the archive's reader began with {type(head).__name__}")
    return Archive(
        owner_username=head.owner_username,
        owner_hint=head.owner_hint,
        exported_on=head.exported_on,
        dialect=head.dialect,
        parts=head.parts,
        missing_parts=head.missing_parts,
        following=head.following,
        source=_batches(messages),
    )


def _batches(messages: _Messages) -> Callable[[Archive], Iterator[ColumnBatch]]:
    def read(archive: Archive) -> Iterator[ColumnBatch]:
        while isinstance(message := messages.next(), frames.Rows):
            yield ColumnBatch(message.part, message.usernames, message.seconds)
        if not isinstance(message, frames.End):
            raise RuntimeError(f"the archive's reader ended with {type(message).__name__}")
        archive.part_ranges = message.part_ranges
        archive.nameless = message.nameless
        archive.nameless_undated = message.nameless_undated

    return read


class _Messages:
    """The messages of the process."""

    def __init__(
        self, process: subprocess.Popen[bytes], silence_seconds: float, waiting: Waiting
    ) -> None:
        if process.stdout is None:
            raise RuntimeError("the archive's reader has no output")
        self._process = process
        self._out = process.stdout
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._silence, self._waiting = silence_seconds, waiting
        self._held = bytearray()

    def next(self) -> frames.Message:
        """The next message; errors among them are raised."""
        (length,) = frames.LENGTH.unpack(self._take(frames.LENGTH.size))
        if length > frames.LONGEST:
            raise RuntimeError("a message of the archive's reader is too long")
        try:
            message: frames.Message = frames.decode(self._take(length))
        except msgspec.DecodeError as error:
            raise RuntimeError("a message of the archive's reader is none") from error
        if isinstance(message, frames.Refused):
            raise ArchiveError(message.problem, member=message.member, **message.facts)
        if isinstance(message, frames.Broken):
            raise RuntimeError(f"the archive's reader failed: {message.trace}")
        return message

    def _take(self, size: int) -> bytes:
        while len(self._held) < size:
            self._wait()
            piece = self._out.read(_READ)
            if not piece:
                self._ended()
            self._held += piece
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _wait(self) -> None:
        """Wait for output. ArchiveError where it is silent for too long."""
        until = time.monotonic() + self._silence
        while (left := until - time.monotonic()) > 0:
            if self._poll.poll(int(min(left, self._waiting.every) * 1000)):
                return
            self._waiting.beat()
        raise ArchiveError(Problem.TOO_HEAVY)

    def _ended(self) -> None:
        """It ended without a last message: killed by a signal (time, memory), or by a bug."""
        code = self._process.wait()
        if code < 0:
            raise ArchiveError(Problem.TOO_HEAVY)
        raise RuntimeError(f"the archive's reader ended by itself, with {code}")
