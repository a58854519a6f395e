"""Frames: length-prefixed messages on the pipe from the process that reads an archive."""

from __future__ import annotations

import struct
from datetime import date
from typing import Final

import msgspec

from followersync.sources.archive.errors import Problem
from followersync.sources.archive.facts import Range

LENGTH: Final = struct.Struct("<L")
#: A batch comes from at most a megabyte of JSON; a longer message is not ours.
LONGEST: Final = 64 << 20


class Head(msgspec.Struct, tag=True):
    """Facts from names and headers; see `Archive`."""

    owner_username: str | None
    owner_hint: str | None
    exported_on: date | None
    dialect: str
    parts: tuple[int, ...]
    missing_parts: tuple[int, ...]
    following: Range | None


class Rows(msgspec.Struct, tag=True):
    """One batch."""

    part: int
    usernames: list[str]
    seconds: list[int | None]


class End(msgspec.Struct, tag=True):
    """Facts known once everything is read."""

    part_ranges: dict[int, Range]
    nameless: list[int]
    nameless_undated: int


class Refused(msgspec.Struct, tag=True):
    """An ArchiveError."""

    problem: Problem
    member: str
    facts: dict[str, str | int]


class Broken(msgspec.Struct, tag=True):
    """A bug of ours: where it happened, without any of the content."""

    trace: str


Message = Head | Rows | End | Refused | Broken

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Message).decode
