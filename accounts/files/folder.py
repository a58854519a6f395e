"""File storage in a folder of this host, or one that several hosts have mounted."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from accounts.files.storage import Found, StorageFailed

#: Suffix of unfinished files; the nightly sweep deletes those of killed processes.
UNFINISHED: Final = ".part"


class FolderStorage:
    """Readable only by the site's own user; a rename makes a finished object visible."""

    local = True

    def __init__(self, root: Path) -> None:
        self.root = root

    def writer(self, name: str) -> FolderWriter:
        try:
            return FolderWriter(self._path(name))
        except OSError as error:
            raise StorageFailed(_said(error)) from error

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        try:
            with self._path(name).open("rb") as file:
                file.seek(start)
                return file.read(-1 if end is None else end - start)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageFailed(_said(error)) from error

    def delete(self, name: str) -> None:
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise StorageFailed(_said(error)) from error

    def find(self, prefix: str = "") -> Iterator[Found]:
        below = self.root / prefix
        for folder, _folders, files in os.walk(below):
            for file in files:
                path = Path(folder) / file
                with suppress(FileNotFoundError):
                    status = path.stat()
                    name = path.relative_to(self.root).as_posix()
                    yield Found(name, status.st_size, status.st_mtime)

    def _path(self, name: str) -> Path:
        path = self.root / name
        if ".." in path.parts or not path.is_relative_to(self.root):
            raise ValueError(f"{name} is no name of a kept file")
        return path


class FolderWriter:
    """Writes to a temporary name; an OSError becomes StorageFailed."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._part = path.with_name(f"{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, data: bytes, /) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise StorageFailed(_said(error)) from error

    def close(self) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.rename(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            self.abort()
            raise StorageFailed(_said(error)) from error

    def abort(self) -> None:
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__
