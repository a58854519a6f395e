"""`connections.json` of about 2018 to 2020: an object of username to date.

Seen in old parsers; which form the dates had is not verified, so both ISO 8601 and Unix seconds
are read, and anything else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import ijson

from followersync.sources.archive.batches import Rows
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.text import as_handle

_BATCH = 5_000


class Pieces:
    """A stream of pieces as the readable file that ijson wants."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; b"" at the end. ijson probes with 0."""
        if size == 0:
            return b""
        if not self._held:
            self._held = next(self._pieces, b"")
        piece, self._held = self._held[:size], self._held[size:]
        return piece


def rows(pieces: Iterator[bytes], member: str, key: str = "followers") -> Rows:
    """The people under the root's `key`; raises where it is no object."""
    names: list[str] = []
    seconds: list[int | None] = []
    for name, date in _members(pieces, member, key):
        names.append(as_handle(name) or "")
        seconds.append(_second(date, member))
        if len(names) == _BATCH:
            yield names, seconds
            names, seconds = [], []
    yield names, seconds


def has_object(pieces: Iterator[bytes], member: str, key: str = "followers") -> bool:
    """Whether the root is an object with an object under `key`."""
    with_errors = _guarded(ijson.parse(Pieces(pieces)), member)
    return any(prefix == key and event == "start_map" for prefix, event, _ in with_errors)


def _members(pieces: Iterator[bytes], member: str, key: str) -> Iterator[tuple[str, Any]]:
    yield from _guarded(ijson.kvitems(Pieces(pieces), key), member)


def _guarded(items: Iterator[Any], member: str) -> Iterator[Any]:
    try:
        yield from items
    except ijson.IncompleteJSONError as error:
        raise ArchiveError(Problem.DAMAGED, member=member) from error
    except ijson.JSONError as error:
        raise ArchiveError(Problem.WRONG_SHAPE, member=member) from error


def _second(date: object, member: str) -> int | None:
    if isinstance(date, int):
        return date
    if isinstance(date, str):
        try:
            when = datetime.fromisoformat(date)
        except ValueError as error:
            raise ArchiveError(Problem.UNKNOWN_DATES, member=member) from error
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    raise ArchiveError(Problem.WRONG_SHAPE, member=member)
