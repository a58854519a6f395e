"""Archives that were made to fill memory or to hold a process: each costs the sender little."""

from __future__ import annotations

import io
import random
import struct
import zipfile

from tests.support.exports import FOLDER

#: One byte in so many is noise: files that shrink more are refused by their container.
RATIO = 60


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def noise(size: int) -> bytes:
    """Characters that do not shrink, so that the rest of a file may shrink without measure."""
    source = random.Random(1)
    return source.randbytes(size).hex().encode()[:size]


def value_without_end(size: int = 22_000_000) -> bytes:
    """A `connections.json` whose one follower has a list of millions as their date."""
    filler = noise(size // RATIO)
    body = b'{"followers":{"%s":[' % filler + b"{}," * (size // 3) + b"{}]}}"
    return zipped({"connections.json": body})


def name_without_end(size: int = 22_000_000) -> bytes:
    """A `connections.json` with one name of millions of characters."""
    body = b'{"followers":{"%s' % noise(size // RATIO) + b"a" * size + b'":"2020-01-01"}}'
    return zipped({"connections.json": body})


def nested_without_end(size: int = 200_000) -> bytes:
    """A `connections.json` of lists within lists."""
    return zipped({"connections.json": b'{"other":' + b"[" * size + b"]" * size + b"}"})


def comment_without_end(size: int = 21_000_000) -> bytes:
    """A page with a comment that never ends."""
    return _page(b"<!-- ", size)


def attribute_without_end(size: int = 21_000_000) -> bytes:
    """A page with an attribute that never ends."""
    return _page(b'<a href="', size)


def text_without_end(size: int = 21_000_000) -> bytes:
    """A page with one row whose text never ends."""
    return _page(b'<div class="pam uiBoxWhite noborder">', size)


def _page(opening: bytes, size: int) -> bytes:
    head = b'<html><body><main class="_a706" role="main">' + opening
    body = head + noise(size // RATIO) + b"x " * (size // 2)
    return zipped({FOLDER + "followers_1.html": body})


def hidden_directory(entries: int = 1_300_000) -> bytes:
    """A zip whose zip64 record names a directory that its other fields do not tell of.

    A second record stands in the bytes of the locator, and its counts reach into the comment: who
    searches for the record backwards finds that one, who reads where the format has it the other.
    """
    directory = _directory(entries)
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, len(directory), 0
    )
    locator = struct.pack("<4sL", b"PK\6\7", 0) + b"PK\6\6" + bytes(4) + struct.pack("<L", 1)
    comment = bytes(64)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 54, 0, len(comment))
    return directory + record + locator + end + comment


def crowded_directory(entries: int) -> bytes:
    """A zip that says it has one file, in a directory of very many."""
    directory = _directory(entries)
    return directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), 0, 0)


def _directory(entries: int) -> bytes:
    form, length = "<4s4B4HL2L5H2L", 8
    fields = (b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, length, 0, 0, 0, 0, 0, 0)
    entry = struct.pack(form, *fields)
    return b"".join(entry + b"%08x" % number for number in range(entries))


ATTACKS = {
    "value_without_end": value_without_end,
    "name_without_end": name_without_end,
    "nested_without_end": nested_without_end,
    "comment_without_end": comment_without_end,
    "attribute_without_end": attribute_without_end,
    "text_without_end": text_without_end,
    "hidden_directory": hidden_directory,
}
