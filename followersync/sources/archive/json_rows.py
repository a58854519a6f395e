"""Rows of today's JSON: `string_list_data` entries, and the `label_values` dialect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from followersync.sources.archive.batches import Rows, all_handles
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.json_array import JsonArray
from followersync.sources.archive.labels import choose_label, values_under
from followersync.sources.archive.text import as_handle, handle_of_link

# Root keys of lists that lie beside the followers and look like them (reference: section 5).
OTHER_LISTS = "relationships_"
THREADS = "text_post_app_"


class Link(msgspec.Struct):
    """One element of `string_list_data`."""

    href: str = ""
    value: str = ""
    timestamp: int | None = None


class Entry(msgspec.Struct):
    """A person in the dialect of 2021 to today."""

    string_list_data: list[Link]
    title: str = ""


class LabelRow(msgspec.Struct):
    """A person in the dialect of 2026."""

    label_values: list[dict[str, Any]]
    timestamp: int | None = None


class Named(msgspec.Struct, gc=False):
    """A link of which only name and second are wanted."""

    value: str
    timestamp: int


class Ordinary(msgspec.Struct, gc=False):
    """Nearly every person: one link, which names them. Decoded in a quarter of an Entry's time."""

    string_list_data: tuple[Named]


_decode_ordinary = msgspec.json.Decoder(list[Ordinary]).decode
_decode_entries = msgspec.json.Decoder(list[Entry]).decode
_decode_labels = msgspec.json.Decoder(list[LabelRow]).decode


class JsonList:
    """One JSON file of people: which list it says it is, and its rows."""

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
        if first is None or (isinstance(first, dict) and "string_list_data" in first):
            return "array" if self.key is None else "relationships"
        if isinstance(first, dict) and "label_values" in first:
            return "label_values"
        raise self._array.wrong()

    def rows(self) -> Rows:
        """Names (lower case, "" for a row that names nobody) and stated seconds."""
        if self.dialect == "label_values":
            return self._label_rows()
        return self._entry_rows()

    def _entry_rows(self) -> Rows:
        return self._array.batches(_entry_columns)

    def _label_rows(self) -> Rows:
        label: str | None = None
        for rows in self._array.batches(_decode_labels):
            if label is None:
                label = choose_label([row.label_values for row in rows])
            if label is None:
                raise ArchiveError(Problem.AMBIGUOUS_NAMES, member=self.member)
            names = [_labelled(row, label) for row in rows]
            yield names, [row.timestamp for row in rows]


def _entry_columns(data: bytes) -> tuple[list[str], list[int | None]]:
    """Names and seconds of an array of entries; looked at closely only where one is unusual."""
    try:
        links = [entry.string_list_data[0] for entry in _decode_ordinary(data)]
        names = [link.value for link in links]
        if all_handles(names):
            return names, [link.timestamp for link in links]
    except msgspec.ValidationError:
        pass
    entries = _decode_entries(data)
    return [name_of(entry) or "" for entry in entries], [_second(entry) for entry in entries]


def name_of(entry: Entry) -> str | None:
    """`value`, or the title where it is a username, or the end of the link.

    In Threads lists the title is a display name, so it never comes first.
    """
    for link in entry.string_list_data:
        if name := as_handle(link.value):
            return name
    if name := as_handle(entry.title):
        return name
    for link in entry.string_list_data:
        if name := handle_of_link(link.href):
            return name
    return None


def _second(entry: Entry) -> int | None:
    return entry.string_list_data[0].timestamp if entry.string_list_data else None


def _labelled(row: LabelRow, label: str) -> str:
    for value in values_under(row.label_values, label):
        if name := as_handle(value):
            return name
    return ""
