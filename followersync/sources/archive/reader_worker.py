"""Reader process, child side: reads one archive within limits that no archive can exceed.

Started by `reader_process`, with the archive as standard input and an order as JSON. Its
environment holds no secret, and it opens neither the database nor a connection. Batches
go to standard output as they are read (see `frames`).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Iterator
from typing import IO

from followersync.sources.archive import frames
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.limits import DEFAULT
from followersync.sources.archive.reader import open_archive


def main(order: str) -> None:
    """Read the archive on standard input as `order` states: name, now, memory and seconds."""
    given = json.loads(order)
    _limit(given["memory_bytes"], given["cpu_seconds"])
    with open(0, "rb", closefd=False) as file, open(1, "wb", closefd=False) as out:
        try:
            for message in _messages(file, given["name"], given["now"]):
                _write(out, message)
        except ArchiveError as error:
            _write(out, frames.Refused(error.problem, error.member, error.facts))
        except MemoryError:
            _write(out, frames.Refused(Problem.TOO_HEAVY, "", {}))
        except BrokenPipeError:
            # The parent has ended.
            os._exit(1)
        except Exception as error:
            where = "".join(traceback.format_tb(error.__traceback__))
            _write(out, frames.Broken(f"{type(error).__name__}\n{where}"))


def _messages(file: IO[bytes], name: str, now: int) -> Iterator[frames.Message]:
    archive = open_archive(file, name=name, now=now)
    yield frames.Head(
        archive.owner_username,
        archive.owner_hint,
        archive.exported_on,
        archive.dialect,
        archive.parts,
        archive.missing_parts,
        archive.following,
    )
    for batch in archive.batches():
        yield frames.Rows(batch.part, batch.usernames, batch.seconds)
    yield frames.End(archive.part_ranges, archive.nameless, archive.nameless_undated)


def _write(out: IO[bytes], message: frames.Message) -> None:
    data = frames.encode(message)
    out.write(frames.LENGTH.pack(len(data)))
    out.write(data)
    out.flush()


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit memory, time, files and cores. A system without one of these limits goes without it."""
    limits = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, DEFAULT.member_bytes),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    )
    for which, amount in limits:
        try:
            resource.setrlimit(which, (amount, amount))
        except (ValueError, OSError):
            continue


if __name__ == "__main__":
    main(sys.argv[1])
