"""File storage behind an fsspec URL: S3 by our own client, others by an installed driver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import fsspec
from django.core.exceptions import ImproperlyConfigured

from accounts.files.storage import Found, StorageFailed
from accounts.outbound.budget import within
from accounts.outbound.client import OutboundError, client_for_operator_url

#: Seconds for one request: a piece, a part of an upload, or a page of names.
SECONDS: Final = 60.0
MOST_BYTES: Final = 64 << 20
#: Seconds for a whole listing.
LIST_SECONDS: Final = 300.0
#: Bytes of one part of an upload; S3 takes at most 10,000 of them, so files up to 80 GiB.
PART: Final = 8 << 20
MOST_OBJECTS: Final = 5_000_000


def file_system(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """Return (file system, path in it) of a URL. Raises ImproperlyConfigured if unknown."""
    if urlsplit(url).scheme == "s3":
        from accounts.outbound.s3 import S3Files

        client = client_for_operator_url(kept=8)
        root = url.removeprefix("s3://").strip("/")
        return S3Files(options, client, most=MOST_OBJECTS), root
    try:
        files, root = fsspec.url_to_fs(url, **options)
    except (ImportError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"{url} cannot be used for files: {error}") from None
    return files, str(root).rstrip("/")


class ObjectStorage:
    """Objects below `root`. No renames: an upload becomes visible with its last part."""

    local = False

    def __init__(self, files: Any, root: str) -> None:
        self._files, self._root = files, root

    def writer(self, name: str) -> ObjectWriter:
        return ObjectWriter(self._files, self._path(name))

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        with _translated_errors():
            data: bytes = self._files.cat_file(self._path(name), start=start, end=end)
        return data

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError), _translated_errors():
            self._files.rm_file(self._path(name))

    def find(self, prefix: str = "") -> Iterator[Found]:
        below = self._path(prefix) if prefix else self._root
        try:
            with _translated_errors(seconds=LIST_SECONDS, most_bytes=4 << 30):
                found = self._files.find(below, detail=True)
        except FileNotFoundError:
            return
        for path, info in found.items():
            name = path.removeprefix(self._root).strip("/")
            yield Found(name, int(info.get("size") or 0), _modified(info))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if self._root else name


class ObjectWriter:
    """Uploads in parts of PART bytes; an aborted upload leaves nothing."""

    def __init__(self, files: Any, path: str) -> None:
        self._files, self._path = files, path
        with _translated_errors():
            parent = path.rpartition("/")[0]
            with suppress(NotImplementedError):
                files.makedirs(parent, exist_ok=True)
            self._file = files.open(path, "wb", block_size=PART)

    def write(self, data: bytes, /) -> None:
        with _translated_errors():
            self._file.write(data)

    def close(self) -> None:
        with _translated_errors():
            self._file.close()

    def abort(self) -> None:
        """Best effort, since the storage may be what failed."""
        with suppress(Exception), _translated_errors():
            if hasattr(self._file, "discard"):
                self._file.discard()
            # So that no destructor completes the upload.
            self._file.closed = True


@contextmanager
def _translated_errors(*, seconds: float = SECONDS, most_bytes: int = MOST_BYTES) -> Iterator[None]:
    """Translate a file system's errors into ours, without addresses or keys."""
    try:
        with within(seconds=seconds, most_bytes=most_bytes):
            yield
    except (FileNotFoundError, StorageFailed):
        raise
    except (OutboundError, OSError, ValueError) as error:
        reason = error.reason if isinstance(error, OutboundError) else type(error).__name__
        raise StorageFailed(reason) from None


def _modified(info: Mapping[str, Any]) -> float | None:
    for name in ("LastModified", "mtime", "modified", "last_modified", "created"):
        value = info.get(name)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, (int, float)):
            return float(value)
    return None
