"""`python -m bench.hostile_archives`: what hostile archives cost the request and the reader.

Each is measured in a process of its own: processor time and memory of the request's check, and of
the reader that the queue would start.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO

from followersync.sources.archive import ArchiveError, check_container, reader_process

NOW = 1_787_000_000


def main() -> None:
    """Print a line for each attack."""
    from tests.support.hostile import ATTACKS

    for name, make in ATTACKS.items():
        with tempfile.NamedTemporaryFile() as file:
            file.write(make())
            file.flush()
            subprocess.run([sys.executable, "-m", "bench.hostile_archives", name, file.name])


def measure(name: str, path: str) -> None:
    """One attack, in this process and the reader's."""
    held, spent = _memory(resource.RUSAGE_SELF), time.process_time()
    with open(path, "rb") as file:
        refused = _refused(lambda: check_container(file, "export.zip"))
        milliseconds = (time.process_time() - spent) * 1000
        grown = _memory(resource.RUSAGE_SELF) - held
        by_reader = "not asked" if refused else _refused(lambda: _read(file)) or "read"
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{name:22} request {milliseconds:4.1f} ms, {grown:2.0f} MiB more, {refused or 'passed'}; "
        f"reader {used.ru_utime + used.ru_stime:5.2f} s, "
        f"{_memory(resource.RUSAGE_CHILDREN):3.0f} MiB in all, {by_reader}",
        flush=True,
    )


def _refused(step: Callable[[], None]) -> str:
    """The code of the refusal, "" if there is none."""
    try:
        step()
    except ArchiveError as error:
        return error.code
    return ""


def _read(file: IO[bytes]) -> None:
    with reader_process.opened(file, name="export.zip", now=NOW) as archive:
        for _batch in archive.batches():
            pass


def _memory(who: int) -> float:
    """The peak resident memory in MiB (Linux counts it in KiB)."""
    return resource.getrusage(who).ru_maxrss / 1024


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], sys.argv[2])
    else:
        main()
