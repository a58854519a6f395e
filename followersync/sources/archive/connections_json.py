"""Dialect `connections.json` of about 2018 to 2020: an object of username to date.

Known from old parsers only; the form of the dates is not verified, so ISO 8601 and Unix seconds are
read, and anything else is refused.

The file is read as events, since a value may be as large as the file. The depth of nesting is
bounded, and so are the bytes without an event, which is the length of a string.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import ijson

from followersync.sources.archive.batches import Rows
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.usernames import as_handle

_PIECE = 1 << 16
_DEEPEST = 16
#: Most bytes without an event: exports of that time have no longer texts.
_LONGEST_TEXT = 1 << 18


def rows(pieces: Iterator[bytes], member: str, key: str = "followers") -> Rows:
    """The people under the root's `key`; raises where it is no object of names and dates."""
    people = _People(member, key)
    for events in _events(pieces, member):
        people.take(events)
        yield people.names, people.seconds
        people.names, people.seconds = [], []
    if not people.found:
        raise people.wrong()


class _People:
    """Collects the members of one object at the root, event by event."""

    def __init__(self, member: str, key: str) -> None:
        self.names: list[str] = []
        self.seconds: list[int | None] = []
        self.found = False
        self._member = member
        self._key = key
        self._depth = 0
        self._root_key: str | None = None
        self._name: str | None = None

    def take(self, events: Iterable[tuple[str, Any]]) -> None:
        """Process the next events."""
        for event, value in events:
            if event in ("start_map", "start_array"):
                self._open(event)
            elif event in ("end_map", "end_array"):
                self._depth -= 1
            elif event == "map_key":
                self._called(value)
            elif self._wanted and self._depth <= 2:
                self._dated(value)

    def wrong(self) -> ArchiveError:
        """The error for an unknown shape."""
        return ArchiveError(Problem.WRONG_SHAPE, member=self._member)

    @property
    def _wanted(self) -> bool:
        return self._root_key == self._key

    def _open(self, event: str) -> None:
        self._depth += 1
        if self._depth > _DEEPEST or (self._depth == 1 and event != "start_map"):
            raise self.wrong()
        if self._wanted and self._depth == 2:
            if event != "start_map" or self.found:
                raise self.wrong()
            self.found = True
        elif self._wanted and self._depth > 2:
            raise self.wrong()

    def _called(self, name: str) -> None:
        if self._depth == 1:
            self._root_key = name
        elif self._depth == 2:
            self._name = name

    def _dated(self, date: object) -> None:
        if self._depth < 2:
            raise self.wrong()
        self.names.append(as_handle(self._name) or "")
        self.seconds.append(_second(date, self._member))


def _events(pieces: Iterator[bytes], member: str) -> Iterator[list[tuple[str, Any]]]:
    """The events of each piece of the file."""
    found: Any = ijson.sendable_list()
    parser = ijson.basic_parse_coro(found)
    silent = 0
    try:
        for piece in _small(pieces):
            parser.send(piece)
            silent = 0 if found else silent + len(piece)
            if silent > _LONGEST_TEXT:
                raise ArchiveError(Problem.WRONG_SHAPE, member=member)
            if found:
                yield list(found)
                del found[:]
        parser.close()
    except ijson.IncompleteJSONError as error:
        raise ArchiveError(Problem.DAMAGED, member=member) from error
    except (ijson.JSONError, ValueError, SystemError) as error:
        # The last is how the C parser reports a number with too many digits.
        raise ArchiveError(Problem.WRONG_SHAPE, member=member) from error
    if found:
        yield list(found)


def _small(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces cut smaller: only one of them at a time becomes events."""
    for piece in pieces:
        for start in range(0, len(piece), _PIECE):
            yield piece[start : start + _PIECE]


def _second(date: object, member: str) -> int | None:
    if date is None:
        return None
    if isinstance(date, int) and not isinstance(date, bool):
        return date
    if isinstance(date, str):
        try:
            when = datetime.fromisoformat(date)
            return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError) as error:
            raise ArchiveError(Problem.UNKNOWN_DATES, member=member) from error
    raise ArchiveError(Problem.WRONG_SHAPE, member=member)
