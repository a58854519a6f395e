"""Dialect JSON: rows of `string_list_data` entries, and of the `label_values` dialect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from followersync.sources.archive.batches import Rows, all_handles
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.json_array import JsonArray
from followersync.sources.archive.labels import choose_label, values_under
from followersync.sources.archive.usernames import as_handle, handle_of_link

# Root keys of other lists that look like the followers.
OTHER_LISTS = "relationships_"
THREADS = "text_post_app_"


class Link(msgspec.Struct):
    """One element of `string_list_data`."""

    href: str | None = None
    value: str | None = None
    timestamp: int | None = None


class Entry(msgspec.Struct):
    """A person in the dialect of 2021 to today. Null means absent.

    `label_values`: a row of the other dialect, which is not allowed among these.
    """

    string_list_data: list[Link | None] | None = None
    title: str | None = None
    label_values: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def links(self) -> list[Link]:
        """The links that are present."""
        return [link for link in self.string_list_data or () if link is not None]


class LabelRow(msgspec.Struct):
    """A person in the dialect of 2026."""

    label_values: list[dict[str, Any] | None] | None = None
    timestamp: int | None = None
    string_list_data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class NamedLink(msgspec.Struct, gc=False):
    """A link of which only name and second are used."""

    value: str
    timestamp: int


class SingleLinkEntry(msgspec.Struct, gc=False):
    """Nearly every person: one link with a name. Decoded in a quarter of an Entry's time."""

    string_list_data: tuple[NamedLink]


_decode_ordinary = msgspec.json.Decoder(list[SingleLinkEntry]).decode
_decode_entries = msgspec.json.Decoder(list[Entry | None]).decode
_decode_labels = msgspec.json.Decoder(list[LabelRow | None]).decode
_ENTRY = frozenset({"string_list_data", "media_list_data", "title"})


class JsonList:
    """One JSON file of people: which list it states to be, and its rows."""

    def __init__(self, pieces: Iterator[bytes], member: str) -> None:
        self.member = member
        self._array = JsonArray(pieces, member)
        self.key = self._array.key

    @property
    def dialect(self) -> str:
        """`array`, `relationships` or `label_values`; raises for a shape that is none of these."""
        first = self._array.first
        if not self._array.is_array:
            raise self._array.wrong()
        if isinstance(first, dict) and "label_values" in first:
            return "label_values"
        if first in (None, {}) or (isinstance(first, dict) and _ENTRY & first.keys()):
            return "array" if self.key is None else "relationships"
        raise self._array.wrong()

    def rows(self) -> Rows:
        """Names (lower case, "" for a row without a name) and stated seconds."""
        if self.dialect == "label_values":
            return self._label_rows()
        return self._entry_rows()

    def _entry_rows(self) -> Rows:
        return self._array.batches(_entry_columns)

    def _label_rows(self) -> Rows:
        label: str | None = None
        for found in self._array.batches(_decode_labels):
            rows = [row or LabelRow() for row in found]
            if any(row.string_list_data is not msgspec.UNSET for row in rows):
                raise self._array.wrong()
            if label is None:
                label = choose_label([row.label_values or [] for row in rows])
            if label is None:
                raise ArchiveError(Problem.AMBIGUOUS_NAMES, member=self.member)
            names = [_labelled(row, label) for row in rows]
            yield names, [row.timestamp for row in rows]


def _entry_columns(data: bytes) -> tuple[list[str], list[int | None]]:
    """Names and seconds of an array of entries; decoded in full only where one is unusual."""
    try:
        links = [entry.string_list_data[0] for entry in _decode_ordinary(data)]
        names = [link.value for link in links]
        if all_handles(names):
            return names, [link.timestamp for link in links]
    except msgspec.ValidationError:
        pass
    entries = [entry or Entry() for entry in _decode_entries(data)]
    if any(entry.label_values is not msgspec.UNSET for entry in entries):
        raise msgspec.ValidationError("a row of another dialect")
    return [name_of(entry) or "" for entry in entries], [_second(entry) for entry in entries]


def name_of(entry: Entry) -> str | None:
    """`value`, or the title where it is a username, or the end of the link.

    In Threads lists the title is a display name, so it is never used first.
    """
    for link in entry.links:
        if name := as_handle(link.value):
            return name
    if name := as_handle(entry.title):
        return name
    for link in entry.links:
        if name := handle_of_link(link.href):
            return name
    return None


def _second(entry: Entry) -> int | None:
    return next((link.timestamp for link in entry.links if link.timestamp is not None), None)


def _labelled(row: LabelRow, label: str) -> str:
    for value in values_under(row.label_values or [], label):
        if name := as_handle(value):
            return name
    return ""
