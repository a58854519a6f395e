"""Watched folders: recurring exports that Instagram delivers to a member's own storage.

Instagram lays each one down either as a zip or unpacked, as
`meta-2026-Aug-11-09-04-51/instagram-<name>-2026-08-11-xxxxxxxx/connections/…`. What is new is
decided by name and mark (size and time, or the store's own tag), without opening anything.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit

import fsspec

LISTS = "followers_and_following"
_EXPORT = re.compile(r"instagram-[A-Za-z0-9._]{1,30}-\d{4}-\d{2}-\d{2}(?:-|$)")
# Folders that exports lie in are at most this deep; a member's whole disk is not walked.
DEPTH = 6
MOST_ENTRIES = 20_000
LARGEST = 4 << 30
SCHEMES = frozenset({"file", "s3", "webdav", "webdavs", "memory"})


class FolderError(Exception):
    """The folder cannot be read.

    `code`: unreachable, forbidden, revoked, not_public, too_many, too_large or scheme.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Item:
    """One file in the folder: path below it, bytes, and what changes when it changes."""

    path: str
    size: int
    mark: str


@dataclass(frozen=True, slots=True)
class Export:
    """One export that waits: a zip, or the folder of an unpacked one. `mark` is of all of it."""

    path: str
    mark: str
    files: tuple[str, ...]
    zipped: bool

    @property
    def name(self) -> str:
        """What to call the archive: it often names owner and day."""
        name = PurePosixPath(self.path).name
        return name if self.zipped else f"{name}.zip"


def waiting(items: Iterable[Item], taken: Iterable[tuple[str, str]]) -> list[Export]:
    """Exports that have not been taken yet, oldest first.

    `taken`: (path, mark) of earlier ones. An export that is still being written changes its mark,
    and is then offered again under the new one. Only the lists count towards an unpacked export's
    mark: photos that arrive later make it no other.
    """
    known = set(taken)
    found = [each for each in exports(items) if (each.path, each.mark) not in known]
    return sorted(found, key=lambda each: (_day(each.path), each.path))


def exports(items: Iterable[Item]) -> list[Export]:
    """Every export among these files."""
    zips: list[Export] = []
    unpacked: dict[str, list[Item]] = {}
    for item in items:
        path = PurePosixPath(item.path)
        if "__MACOSX" in path.parts or path.name.startswith("."):
            continue
        if path.suffix.lower() == ".zip":
            zips.append(Export(item.path, item.mark, (item.path,), True))
        elif LISTS in path.parts and path.suffix in (".json", ".html"):
            unpacked.setdefault(_root(path), []).append(item)
    folders = [
        Export(root, _mark_of(files), tuple(sorted(f.path for f in files)), False)
        for root, files in unpacked.items()
    ]
    return zips + folders


def check_url(url: str, *, local_allowed: bool) -> str:
    """The folder's address, if it may be watched. Raises FolderError("scheme").

    A path on this machine is the operator's business alone; a secret has no place in an address.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or parts.password or parts.username:
        raise FolderError("scheme")
    if parts.scheme in ("file", "memory") and not local_allowed:
        raise FolderError("scheme")
    return url.rstrip("/")


class Folder:
    """A folder through fsspec. Every method may raise FolderError.

    `guard` is asked of every server (as https://…) before it is spoken to, and raises FolderError.
    """

    def __init__(
        self,
        url: str,
        options: Mapping[str, Any] | None = None,
        *,
        guard: Callable[[str], None] | None = None,
    ) -> None:
        self._options = dict(options or {})
        scheme = urlsplit(url).scheme
        if guard is not None and "endpoint_url" in self._options:
            guard(str(self._options["endpoint_url"]))
        try:
            if scheme == "gdrive":
                self._files, self._root = _drive(self._options)
            elif scheme in ("webdav", "webdavs"):
                self._files, self._root = _webdav(url, self._options, guard)
            else:
                self._files, self._root = fsspec.core.url_to_fs(
                    url, skip_instance_cache=True, use_listings_cache=False, **self._options
                )
        except FolderError:
            raise
        except Exception as error:
            raise _problem(error) from None

    def items(self) -> list[Item]:
        """Every file that may belong to an export, at most DEPTH folders down."""
        try:
            found = self._files.find(self._root, maxdepth=DEPTH, detail=True)
        except FolderError:
            raise
        except Exception as error:
            raise _problem(error) from None
        if len(found) > MOST_ENTRIES:
            raise FolderError("too_many")
        return [
            Item(self._below(path), int(info.get("size") or 0), _mark(info))
            for path, info in found.items()
            if info.get("type") == "file"
        ]

    def fetch(self, export: Export, target: IO[bytes]) -> None:
        """Copy an export to `target` as a zip, ready to be imported."""
        try:
            if export.zipped:
                self._copy(export.files[0], target)
            else:
                self._pack(export, target)
        except FolderError:
            raise
        except Exception as error:
            raise _problem(error) from None
        target.seek(0)

    def _copy(self, path: str, target: IO[bytes]) -> None:
        size = 0
        with self._files.open(self._full(path), "rb") as source:
            while piece := source.read(1 << 20):
                size += len(piece)
                if size > LARGEST:
                    raise FolderError("too_large")
                target.write(piece)

    def _pack(self, export: Export, target: IO[bytes]) -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in export.files:
                inner = PurePosixPath(path).relative_to(export.path) if export.path else path
                with archive.open(str(inner), "w", force_zip64=True) as copy:
                    self._copy(path, copy)

    def _full(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}" if self._root else path

    def _below(self, path: str) -> str:
        root = self._root.strip("/")
        return path.strip("/").removeprefix(root).lstrip("/")


def _drive(options: Mapping[str, Any]) -> tuple[Any, str]:
    from followersync.sources.drive import DriveFiles

    return DriveFiles(options["refresh_token"]), ""


def _webdav(
    url: str, options: dict[str, Any], guard: Callable[[str], None] | None
) -> tuple[Any, str]:
    """WebDAV speaks HTTP: `webdavs://` is https, and the password stands in the options."""
    from webdav4.fsspec import WebdavFileSystem

    parts = urlsplit(url)
    scheme = "https" if parts.scheme == "webdavs" else "http"
    auth = (options["username"], options["password"]) if "username" in options else None
    server = f"{scheme}://{parts.netloc}"
    hooks: dict[str, list[Callable[[Any], None]]] = {}
    if guard is not None:
        # The client follows redirects by itself: every request is looked at, not the first alone.
        hooks["request"] = [lambda request: guard(str(request.url.copy_with(userinfo=b"")))]
    files = WebdavFileSystem(
        server, auth=auth, timeout=30, event_hooks=hooks, skip_instance_cache=True
    )
    return files, parts.path.strip("/")


def _problem(error: Exception) -> FolderError:
    """What a store's own error comes down to; its text may hold an address or a key."""
    text = f"{type(error).__name__} {error}".lower()
    refused = ("forbidden", "denied", "credential", "unauthorized", "401", "403", "accesskey")
    if isinstance(error, PermissionError) or any(word in text for word in refused):
        return FolderError("forbidden")
    return FolderError("unreachable")


def _mark(info: Mapping[str, Any]) -> str:
    """A tag of the store, else size and time of change."""
    tag = info.get("ETag") or info.get("etag") or info.get("md5Checksum")
    changed = info.get("mtime") or info.get("LastModified") or info.get("modified")
    said = f"{tag}" if tag else f"{info.get('size')} {changed}"
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _mark_of(files: Iterable[Item]) -> str:
    said = "\n".join(sorted(f"{file.path} {file.size} {file.mark}" for file in files))
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _root(path: PurePosixPath) -> str:
    """The export's own folder: Instagram's name for it, else whatever holds the lists."""
    for depth, part in enumerate(path.parts[:-1], 1):
        if _EXPORT.match(part):
            return str(PurePosixPath(*path.parts[:depth]))
    above = path.parts[: path.parts.index(LISTS)]
    outer = above[:-1] if above and above[-1] == "connections" else above
    return str(PurePosixPath(*outer)) if outer else ""


def _day(path: str) -> str:
    """The export's day, as it stands in its names; "" sorts the unnamed first."""
    found = re.findall(r"\d{4}-\d{2}-\d{2}", path)
    return found[-1] if found else ""
