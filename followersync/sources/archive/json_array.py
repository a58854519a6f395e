"""JSON array of any length, read in pieces and decoded in batches by msgspec.

The array is cut after an element and the part before the cut is decoded as an array. A cut at the
wrong place (inside a string or a nested list) always fails to decode, and an earlier one is tried.
That is several times faster than parsing events, and keeps one piece in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from followersync.sources.archive.errors import ArchiveError, Problem

Rows = TypeVar("Rows")
Decode = Callable[[bytes], Rows]

_PIECE = 1 << 20
_TRIES = 24
_HEAD = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*(?:\{\s*"((?:[^"\\]|\\.){0,200})"\s*:\s*)?(\[|.)', re.S)
_COMMA = re.compile(r"\s*,\s*")
_SPACE = b" \t\r\n"


class JsonArray:
    """The array at the root of a file, or under the only key of the object at its root.

    `key` is that key or None, `is_array` whether its value is an array at all, `empty` whether it
    has no element. `first` is the first element that is neither null nor an empty object, decoded
    without a schema; one of these where there is no other.
    """

    def __init__(self, pieces: Iterator[bytes], member: str) -> None:
        self._pieces = pieces
        self._member = member
        self._buffer = b""
        self._whole = False
        self._fill(_PIECE)
        self.key, start = self._opening()
        self.is_array = start > 0
        self._buffer = self._buffer[max(start, 0) :].lstrip(_SPACE)
        self.empty = self.is_array and self._buffer[:1] == b"]"
        self.first = self._first_element() if self.is_array and not self.empty else None

    def batches(self, decode: Decode[Rows]) -> Iterator[Rows]:
        """All elements, as `decode` makes them; raises where the file is cut off or malformed."""
        if not self.is_array:
            raise self.wrong()
        if self.empty:
            self._close(decode)
            return
        while not self._whole:
            cut, rows = self._cut(decode)
            yield rows
            self._buffer = self._buffer[cut:].lstrip(_SPACE)[1:].lstrip(_SPACE)
            self._fill(_PIECE)
        yield self._close(decode)

    def wrong(self) -> ArchiveError:
        """The error for an unknown shape."""
        return ArchiveError(Problem.WRONG_SHAPE, member=self._member)

    def _fill(self, size: int) -> None:
        held = [self._buffer]
        length = len(self._buffer)
        while length < size and not self._whole:
            piece = next(self._pieces, None)
            if piece is None:
                self._whole = True
            else:
                held.append(piece)
                length += len(piece)
        self._buffer = b"".join(held)

    def _opening(self) -> tuple[str | None, int]:
        head = _HEAD.match(self._buffer)
        if head is None:
            raise ArchiveError(Problem.DAMAGED, member=self._member)
        key = head[1].decode("utf-8", "replace") if head[1] is not None else None
        if head[2] != b"[":
            return key, -1
        return key, head.end()

    def _first_element(self) -> Any:
        text, at, element = self._buffer.decode("utf-8", "ignore"), 0, None
        try:
            while element in (None, {}):
                element, at = json.JSONDecoder().raw_decode(text, at)
                comma = _COMMA.match(text, at)
                if comma is None:
                    break
                at = comma.end()
            return element
        except RecursionError as error:
            raise self.wrong() from error
        except ValueError as error:
            problem = Problem.DAMAGED if self._whole else Problem.WRONG_SHAPE
            raise ArchiveError(problem, member=self._member) from error

    def _cut(self, decode: Decode[Rows]) -> tuple[int, Rows]:
        """The end of the last complete element in the buffer, and the elements before it."""
        at = len(self._buffer)
        for _ in range(_TRIES):
            at = self._buffer.rfind(b"}", 0, at)
            if at < 0:
                break
            if self._buffer[at + 1 : at + 200].lstrip(_SPACE)[:1] == b",":
                try:
                    return at + 1, decode(b"[" + self._buffer[: at + 1] + b"]")
                except (msgspec.ValidationError, RecursionError) as error:
                    raise self.wrong() from error
                except msgspec.DecodeError:
                    continue
        return self._cut_one_by_one(decode)

    def _cut_one_by_one(self, decode: Decode[Rows]) -> tuple[int, Rows]:
        """The same, element by element, for files with strings that look like ends of elements."""
        scan = json.JSONDecoder().raw_decode
        text = self._buffer.decode("utf-8", "ignore")
        end = at = 0
        while True:
            try:
                _, at = scan(text, at)
            except (ValueError, RecursionError):
                break
            comma = _COMMA.match(text, at)
            if comma is None:
                break
            end, at = at, comma.end()
        if not end:
            raise self.wrong()
        size = len(text[:end].encode())
        return size, self._decode(decode, b"[" + self._buffer[:size] + b"]")

    def _close(self, decode: Decode[Rows]) -> Rows:
        rest = self._buffer.rstrip(_SPACE)
        if self.key is not None:
            if not rest.endswith(b"}"):
                raise ArchiveError(Problem.DAMAGED, member=self._member)
            rest = rest[:-1].rstrip(_SPACE)
        if not rest.endswith(b"]"):
            raise ArchiveError(Problem.DAMAGED, member=self._member)
        return self._decode(decode, b"[" + rest)

    def _decode(self, decode: Decode[Rows], data: bytes) -> Rows:
        try:
            return decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self.wrong() from error
