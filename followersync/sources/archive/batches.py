"""Column batches of names and follow seconds, the common form of all export dialects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Instagram opened on 2010-10-06; an earlier second is treated as unknown.
EARLIEST = 1_286_323_200
_HANDLES = re.compile(r"(?:[a-z0-9._]{1,30}\n)*")


@dataclass(frozen=True, slots=True)
class ColumnBatch:
    """Rows of one part, in the file's order. Names are lower-case and may repeat.

    `seconds` are Unix seconds, None where the export states none that can be true.
    """

    part: int
    usernames: list[str]
    seconds: list[int | None]


def all_handles(names: Sequence[str]) -> bool:
    """Whether all are lower-case usernames; one pass of a regular expression in C."""
    try:
        return _HANDLES.fullmatch("\n".join(names) + "\n" if names else "") is not None
    except TypeError:
        return False


def plausible(seconds: list[int | None], latest: int) -> list[int | None]:
    """The seconds, None for those before Instagram or after `latest`."""
    dated = None not in seconds
    if dated and seconds and min(seconds) >= EARLIEST and max(seconds) <= latest:  # type: ignore[type-var,operator]
        return seconds
    return [s if s is not None and EARLIEST <= s <= latest else None for s in seconds]


Rows = Iterator[tuple[list[str], list[int | None]]]
