"""Items of the Data Transfer Project's generic importers, read as a stream.

A folder is `application/json`; a file is `multipart/related`: the same JSON, then the bytes. The
README describes a file as `BlobbyFileData` with a `document`, the JSON schema as `File` with a
`name`; both are accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO, Any, Final, Protocol, cast

import msgspec
from django.http.multipartparser import ChunkIter, InterBoundaryIter, LazyStream

from followersync.errors import WrongDelivery

LONGEST_HEAD: Final = 64 << 10
LARGEST: Final = 4 << 30
_FOLDERS: Final = frozenset({"Folder", "BlobbyFolderData"})
_FILES: Final = frozenset({"File", "BlobbyFileData"})


class Body(Protocol):
    """A request's body."""

    def read(self, size: int = ..., /) -> bytes: ...


def place_of(data: bytes) -> PurePosixPath | None:
    """The path of the file that this JSON describes; None for a folder. Raises WrongDelivery."""
    if len(data) > LONGEST_HEAD:
        raise WrongDelivery("The description of the item is too long.")
    try:
        wrapper: Any = msgspec.json.decode(data)
        payload = wrapper["payload"]
        kind = payload["@type"]
        if wrapper["@type"] != "GenericPayload" or kind not in _FOLDERS | _FILES:
            raise WrongDelivery("This is neither a File nor a Folder in a GenericPayload.")
        if kind in _FOLDERS:
            return None
        name = payload["document"]["name"] if "document" in payload else payload["name"]
        folder = payload.get("folder") or ""
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise WrongDelivery("The item is not described as the schema wants it.") from error
    if not isinstance(name, str) or not isinstance(folder, str) or not name:
        raise WrongDelivery("The item has no name.")
    # A file's name is one path component, even with slashes.
    return PurePosixPath(folder.replace("\x00", "")) / PurePosixPath(name.replace("\x00", "")).name


def read(
    body: Body, boundary: str, target: IO[bytes], *, wanted: Callable[[PurePosixPath], bool]
) -> PurePosixPath | None:
    """The file's path, and its bytes in `target`, if `wanted`; else they are read and dropped.

    Raises WrongDelivery where the body has another shape, ends too early, or is too large.
    """
    if not boundary or len(boundary) > 200:
        raise WrongDelivery("The multipart body names no boundary.")
    stream = LazyStream(ChunkIter(cast("Any", _MultipartBody(body, boundary))))
    parts = InterBoundaryIter(stream, _line(boundary))
    place: PurePosixPath | None = None
    seen = 0
    for part in parts:
        if not _skip_headers(part):
            continue
        seen += 1
        if seen == 1:
            place = place_of(part.read(LONGEST_HEAD + 1))
        elif seen == 2 and place is not None:
            _copy(part, target if wanted(place) else None)
    if seen < 2 or place is None:
        raise WrongDelivery("A description and a file are needed, in this order.")
    return place


class _MultipartBody:
    """The body, which must end as multipart bodies do: else it was cut off."""

    def __init__(self, body: Body, boundary: str) -> None:
        self._body, self._last, self._tail = body, _line(boundary) + b"--", b""

    def read(self, size: int) -> bytes:
        piece = self._body.read(size)
        if piece:
            self._tail = (self._tail + piece)[-len(self._last) - 1024 :]
        elif self._last not in self._tail:
            raise WrongDelivery("The item was cut off on its way.")
        return piece


def _line(boundary: str) -> bytes:
    return b"--" + boundary.encode()


def _skip_headers(part: Any) -> bool:
    """Skip the part's headers. False: it has none, as before the first boundary."""
    head = part.read(4096)
    _headers, blank, rest = head.partition(b"\r\n\r\n")
    if not blank:
        return False
    part.unget(rest)
    return True


def _copy(part: Any, target: IO[bytes] | None) -> None:
    size = 0
    while piece := part.read(1 << 18):
        size += len(piece)
        if target is None:
            continue
        if size > LARGEST:
            raise WrongDelivery("The file is too large.", too_large=True)
        target.write(piece)
