"""Central directory of a zip: found and bounded before the zip library reads it.

The library trusts the last records of the file: it reads as many bytes as they state and makes an
object of each entry, whatever number they state. So the records are read exactly where the library
reads them, and a file whose records can be read in two ways is refused.
Format: PKWARE's APPNOTE 6.3.10, sections 4.3.12 to 4.3.16.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO

from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.limits import Limits

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = b"PK\x01\x02"
_ENTRY_SIZE = 46
_LONGEST_COMMENT = (1 << 16) - 1
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory: `size` bytes from `start`, with `entries` entries as stated.

    `modulus`: the number is stated modulo this. Archive Utility of macOS writes more than 65,535
    entries without the wider record that the format requires.
    """

    start: int
    size: int
    entries: int
    modulus: int


def find_directory(file: IO[bytes], limits: Limits) -> Directory:
    """The directory by the last records of the file; reads 66 KB at most.

    Raises ArchiveError where there is none, where the records contradict each other, and where they
    exceed the limits.
    """
    end, entries, size = _end_record(file)
    wide = _wide_record(file, end)
    if wide is not None:
        end, entries, size = wide
    modulus = 1 << 16 if wide is None else 1 << 64
    if entries > limits.members or size > limits.directory_bytes:
        raise ArchiveError(Problem.TOO_MANY_FILES, limit=limits.members)
    if size > end or entries * _ENTRY_SIZE > size:
        raise ArchiveError(Problem.DAMAGED)
    return Directory(end - size, size, entries, modulus)


def check_directory(file: IO[bytes], limits: Limits) -> None:
    """Count the entries without storing them.

    Raises ArchiveError unless there are as many as stated, and no more than allowed.
    """
    directory = find_directory(file, limits)
    file.seek(directory.start)
    left, counted, held = directory.size, 0, b""
    while left or held:
        piece = file.read(min(_READ, left))
        left -= len(piece)
        held += piece
        at, found = _whole_entries(held)
        counted += found
        if not found:
            raise ArchiveError(Problem.DAMAGED)
        if counted > limits.members:
            raise ArchiveError(Problem.TOO_MANY_FILES, limit=limits.members)
        held = held[at:]
    if (counted - directory.entries) % directory.modulus:
        raise ArchiveError(Problem.DAMAGED)
    file.seek(0)


def _whole_entries(data: bytes) -> tuple[int, int]:
    """Where the last complete entry in `data` ends, and how many there are."""
    at = counted = 0
    while at + _ENTRY_SIZE <= len(data) and data.startswith(_ENTRY, at):
        name, extra, comment = struct.unpack_from("<3H", data, at + 28)
        after = at + _ENTRY_SIZE + name + extra + comment
        if after > len(data):
            break
        at, counted = after, counted + 1
    return at, counted


def _end_record(file: IO[bytes]) -> tuple[int, int, int]:
    """(position, entries, bytes of the directory) of the end record.

    Its comment must reach exactly to the end of the file: otherwise the library accepts it, and
    another reader would find another record.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(start)
    # audit: unbounded-read: from here on there are 64 KiB and a record at most
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + _END.size:
        raise ArchiveError(Problem.DAMAGED)
    _, disk, first_disk, here, entries, length, _, comment = _END.unpack_from(tail, at)
    if len(tail) != at + _END.size + comment or disk != first_disk or here != entries:
        raise ArchiveError(Problem.DAMAGED)
    return start + at, entries, length


def _wide_record(file: IO[bytes], end: int) -> tuple[int, int, int] | None:
    """The same of the zip64 record, None where there is none.

    The library reads it right before its locator; newer versions where the locator points.
    """
    at = end - _LOCATOR.size
    if at < 0:
        return None
    file.seek(at)
    signature, _, position, disks = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if signature != b"PK\x06\x07":
        return None
    if disks > 1 or position != at - _END_64.size or position < 0:
        raise ArchiveError(Problem.DAMAGED)
    file.seek(position)
    signature, size, _, _, _, _, here, entries, length, _ = _END_64.unpack(file.read(_END_64.size))
    if signature != b"PK\x06\x06" or size != _END_64.size - 12 or here != entries:
        raise ArchiveError(Problem.DAMAGED)
    return position, entries, length
