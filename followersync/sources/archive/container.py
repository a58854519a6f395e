"""Containers of an archive: a zip, a folder or one file. Nothing is extracted to disk."""

from __future__ import annotations

import filecmp
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from followersync.sources.archive.directory import check_directory
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.limits import Limits
from followersync.sources.archive.locate import list_ending

_READ = 1 << 18


class Container(Protocol):
    """Files by name, read as streams with limits."""

    name: str
    names: list[str]
    single: bool

    def stream(self, member: str) -> Iterator[bytes]:
        """The member's bytes in pieces; ArchiveError where it is damaged or over a limit."""

    def same_content(self, one: str, other: str) -> bool:
        """Whether two members have the same content."""


class Budget:
    """Counts the bytes read of one archive, over all its members and readings."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._spent: dict[str, int] = {}

    def charge(self, member: str, size: int, compressed: int | None = None) -> None:
        """Record that `size` bytes of the member were read so far; raises over a limit."""
        if size > self.limits.member_bytes:
            raise ArchiveError(Problem.TOO_LARGE, member=member, limit=self.limits.member_bytes)
        if compressed is not None and size > self.limits.ratio * max(compressed, 4096):
            raise ArchiveError(Problem.BOMB, member=member)
        self._spent[member] = max(size, self._spent.get(member, 0))
        if sum(self._spent.values()) > self.limits.total_bytes:
            raise ArchiveError(Problem.TOO_LARGE, member=member, limit=self.limits.total_bytes)


class ZipContainer:
    """A zip in a seekable file."""

    single = False

    def __init__(self, file: IO[bytes], name: str, limits: Limits) -> None:
        self.name = name
        self._budget = Budget(limits)
        check_directory(file, limits)
        with _zip_errors(name):
            self._zip = zipfile.ZipFile(file)
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            path = check_path(info.orig_filename)
            if path.endswith("/"):
                continue
            if path in self._infos and list_ending(path):
                raise ArchiveError(Problem.SEVERAL_EXPORTS, member=path)
            self._infos[path] = info
        self.names = list(self._infos)

    def stream(self, member: str) -> Iterator[bytes]:
        """See Container."""
        info = self._infos[member]
        if info.flag_bits & 0x1:
            raise ArchiveError(Problem.ENCRYPTED, member=member)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ArchiveError(Problem.UNSAFE_PATH, member=member)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Instagram uses no other method, and the others expand without bound in one read.
            raise ArchiveError(Problem.DAMAGED, member=member)
        self._budget.charge(member, info.file_size, info.compress_size)
        seen = 0
        with _zip_errors(member), self._zip.open(info) as file:
            while piece := file.read(_READ):
                seen += len(piece)
                self._budget.charge(member, seen, info.compress_size)
                yield piece
        if seen != info.file_size:
            raise ArchiveError(Problem.DAMAGED, member=member)

    def same_content(self, one: str, other: str) -> bool:
        """See Container."""
        first, second = self._infos[one], self._infos[other]
        return (first.file_size, first.CRC) == (second.file_size, second.CRC)


class FolderContainer:
    """An unpacked export on disk. Links are refused where they would be read."""

    single = False

    def __init__(self, root: Path, limits: Limits) -> None:
        self.name = root.resolve().name
        self._root = root
        self._budget = Budget(limits)
        self.names: list[str] = []
        for folder, _, files in os.walk(root):
            base = Path(folder).relative_to(root)
            self.names.extend((base / file).as_posix() for file in files)
            if len(self.names) > limits.members:
                raise ArchiveError(Problem.TOO_MANY_FILES, limit=limits.members)
        self.names.sort()

    def stream(self, member: str) -> Iterator[bytes]:
        """See Container."""
        path = self._root / member
        if path.is_symlink() or not path.is_file():
            raise ArchiveError(Problem.UNSAFE_PATH, member=member)
        with path.open("rb") as file:
            yield from stream_file(file, member, self._budget)

    def same_content(self, one: str, other: str) -> bool:
        """See Container."""
        return filecmp.cmp(self._root / one, self._root / other, shallow=False)


class FileContainer:
    """One list by itself."""

    single = True

    def __init__(self, file: IO[bytes], name: str, limits: Limits) -> None:
        self.name = ""
        self.names = [PurePosixPath(name).name]
        self._file = file
        self._budget = Budget(limits)

    def stream(self, member: str) -> Iterator[bytes]:
        """See Container."""
        self._file.seek(0)
        yield from stream_file(self._file, member, self._budget)

    def same_content(self, one: str, other: str) -> bool:
        """See Container."""
        return one == other


def stream_file(file: IO[bytes], member: str, budget: Budget) -> Iterator[bytes]:
    """An uncompressed file's bytes in pieces, charged to the budget."""
    seen = 0
    while piece := file.read(_READ):
        seen += len(piece)
        budget.charge(member, seen)
        yield piece


def check_path(name: str) -> str:
    """The name with slashes; refuses names that would leave the archive when unpacked.

    Some tools of Windows write backslashes, which the format forbids and readers accept.
    """
    unified = name.replace("\\", "/")
    escapes = unified.startswith("/") or ".." in unified.split("/") or "\x00" in name
    if escapes or (len(unified) > 1 and unified[1] == ":"):
        raise ArchiveError(Problem.UNSAFE_PATH)
    return unified


@contextmanager
def _zip_errors(member: str) -> Iterator[None]:
    """Turns the zip library's errors into ours."""
    try:
        yield
    except RuntimeError as error:
        # zipfile reports a password so; NotImplementedError (an unknown method) is one too.
        problem = Problem.DAMAGED if isinstance(error, NotImplementedError) else Problem.ENCRYPTED
        raise ArchiveError(problem, member=member) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError) as error:
        raise ArchiveError(Problem.DAMAGED, member=member) from error
