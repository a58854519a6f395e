"""External sort: the people of a spool by name, each once, in bounded memory.

Runs of lines are sorted in memory and written to disk; then all runs are merged. So memory does
not grow with the list, and the database need not store it twice to sort it.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO

from accounts.files import scratch

RUN_BYTES = 4 << 20
# Of all runs together at a time: some forty thousand lines.
READ_BYTES = 1 << 20


def by_name(spool: IO[bytes]) -> Iterator[dict[bytes, bytes]]:
    """Names in order with their second, b"" where unknown; the newest where a name is repeated.

    Equal names are in the order of their seconds, those without one first.
    """
    newest: dict[bytes, bytes] = {}
    for lines in _in_order(spool):
        newest.update(line[:-1].split(b"\t") for line in lines)  # type: ignore[misc]
        # The next lines may repeat the last name.
        last = newest.popitem()
        yield newest
        newest = dict([last])
    yield newest


def _in_order(spool: IO[bytes]) -> Iterator[list[bytes]]:
    lines = spool.readlines(RUN_BYTES)
    more = spool.readlines(RUN_BYTES)
    if not more:
        if lines:
            yield sorted(lines)
        return
    with ExitStack() as files:
        runs = []
        while lines:
            run = files.enter_context(tempfile.TemporaryFile(dir=scratch()))
            runs.append(_write_run(sorted(lines), run))
            lines, more = more, spool.readlines(RUN_BYTES)
        yield from _merged(runs)


def _write_run(lines: Iterable[bytes], run: IO[bytes]) -> IO[bytes]:
    run.writelines(lines)
    run.seek(0)
    return run


def _merged(runs: list[IO[bytes]]) -> Iterator[list[bytes]]:
    """Lines up to the smallest last line of a run are final: nothing smaller can follow."""
    size = READ_BYTES // len(runs) + 1
    heads = {run: run.readlines(size) for run in runs}
    while heads:
        bound = min(lines[-1] for lines in heads.values())
        out: list[bytes] = []
        for run, lines in list(heads.items()):
            cut = bisect_right(lines, bound)
            out += lines[:cut]
            heads[run] = lines[cut:] or run.readlines(size)
            if not heads[run]:
                del heads[run]
        out.sort()
        yield out
