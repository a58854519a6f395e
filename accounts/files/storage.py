"""The storage interface: bytes under a name, in a folder, in PostgreSQL or at an fsspec URL.

Names are paths of letters, digits, `-`, `.` and `/`. An object becomes visible when it is complete.
Every method may raise StorageFailed; reading a missing object raises FileNotFoundError.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from accounts.errors import RetryLater

#: The address that means the site's own PostgreSQL.
DATABASE: Final = "database:"
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def is_no_room(error: BaseException) -> bool:
    """Whether a disk is full or read-only."""
    return isinstance(error, OSError) and error.errno in NO_ROOM


class StorageFailed(RetryLater):
    """The storage does not answer, refuses, or is full. `reason` is for the log."""

    code = "storage_unavailable"
    detail = _(
        "Files cannot be stored or read at the moment. Nothing was changed; please try again in a "
        "few minutes."
    )

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    @property
    def no_room(self) -> OSError | None:
        """The OSError, if the disk is full or read-only."""
        cause = self.__cause__
        return cause if isinstance(cause, OSError) and is_no_room(cause) else None


@dataclass(frozen=True)
class Found:
    """One stored object; `modified` is Unix seconds by the storage's clock, None where unknown."""

    name: str
    size: int
    modified: float | None


class Writer(Protocol):
    """An object being written: `close` makes it visible, `abort` discards it."""

    def write(self, data: bytes, /) -> object: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Storage(Protocol):
    """`local`: only this host reaches it, unless its folder is shared."""

    local: bool

    def writer(self, name: str) -> Writer: ...

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes [start, end) of an object; fewer if it is shorter."""

    def delete(self, name: str) -> None:
        """Does nothing if there is no such object."""

    def find(self, prefix: str = "") -> Iterator[Found]:
        """Every object below the folder `prefix`, in no order."""


def put(storage: Storage, name: str, data: bytes) -> None:
    """Write a small object at once."""
    writer = storage.writer(name)
    try:
        writer.write(data)
    except BaseException:
        writer.abort()
        raise
    writer.close()


def storage_at(url: str, options: Mapping[str, Any], *, default: Path) -> Storage:
    """The storage at a URL; "" is the folder `default`. Raises ImproperlyConfigured.

    `file:

    /path` is a folder, `database:` the site's PostgreSQL, anything else goes to fsspec; `options`
    are those of the file system (`key`, `secret`, `endpoint_url` for `s3:`).
    """
    given = json.dumps(options, sort_keys=True)
    # Connections must not be shared across a fork.
    return _made(url or default.as_uri(), given, os.getpid())


@lru_cache(maxsize=64)
def _made(url: str, options: str, _process: int) -> Storage:
    """Imports each kind's libraries only when one is opened."""
    if url == DATABASE:
        from accounts.files.rows import RowStorage

        return RowStorage()
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        from accounts.files.folder import FolderStorage

        return FolderStorage(Path(unquote(parts.path)))
    if not parts.scheme or parts.scheme == "memory" or parts.username or parts.password:
        raise ImproperlyConfigured(
            f"{url.partition('@')[2] or url} is no address of files: give {DATABASE}, "
            "file:///folder or s3://bucket/folder; secrets go into the options, not the address."
        )
    from accounts.files.objects import ObjectStorage, file_system

    return ObjectStorage(*file_system(url, json.loads(options)))
