"""Folder source: finds and downloads exports in a member's own storage.

Instagram stores each one either as a zip or unpacked, as
`meta-2026-Aug-11-09-04-51/instagram-<name>-2026-08-11-xxxxxxxx/connections/…`. New ones are
recognised by name and mark (size and time, or the store's own tag), without opening a file.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit

import fsspec

from accounts.outbound.budget import within
from accounts.outbound.client import Client, OutboundError, client_for_operator_url

LISTS = "followers_and_following"
_EXPORT = re.compile(r"instagram-[A-Za-z0-9._]{1,30}-\d{4}-\d{2}-\d{2}(?:-|$)")
# Folders of exports are at most this deep; a member's whole disk is not searched.
DEPTH = 6
MOST_ENTRIES = 20_000
LARGEST = 4 << 30
# Of all answers that list a folder, together.
MOST_LISTED = 16 << 20
LIST_SECONDS = 40.0
FETCH_SECONDS = 80.0
SCHEMES = frozenset({"file", "s3", "webdav", "webdavs", "memory"})


class FolderError(Exception):
    """The folder cannot be read.

    `code`: unreachable, forbidden, revoked, not_public, too_many, too_large, too_slow or scheme.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Item:
    """One file in the folder: path below it, bytes, and a mark that changes with it."""

    path: str
    size: int
    mark: str


@dataclass(frozen=True, slots=True)
class Export:
    """One waiting export: a zip, or the folder of an unpacked one. `mark` covers all of it."""

    path: str
    mark: str
    files: tuple[str, ...]
    zipped: bool

    @property
    def name(self) -> str:
        """The archive's name, which often states owner and day."""
        name = PurePosixPath(self.path).name
        return name if self.zipped else f"{name}.zip"


def waiting(items: Iterable[Item], taken: Iterable[tuple[str, str]]) -> list[Export]:
    """Exports that have not been taken yet, oldest first.

    `taken`: (path, mark) of earlier ones. An export that is still being written changes its mark,
    and is then offered again under the new one. Only the lists count towards an unpacked export's
    mark, so that photos that arrive later do not change it.
    """
    known = set(taken)
    found = [each for each in exports(items) if (each.path, each.mark) not in known]
    return sorted(found, key=lambda each: (_day(each.path), each.path))


def exports(items: Iterable[Item]) -> list[Export]:
    """All exports among these files."""
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

    Only operators may name a path on this machine; an address must contain no secret.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or parts.password or parts.username:
        raise FolderError("scheme")
    if parts.scheme in ("file", "memory") and not local_allowed:
        raise FolderError("scheme")
    return url.rstrip("/")


class Folder:
    """A folder through fsspec. Every method may raise FolderError.

    `client` is the HTTP client of folders behind HTTP; it is created on first use.
    """

    def __init__(
        self, url: str, options: Mapping[str, Any] | None = None, *, client: Client | None = None
    ) -> None:
        self._url, self._options = url, dict(options or {})
        self._client = client or client_for_operator_url()
        self._opened: tuple[Any, str] | None = None

    def items(self, *, seconds: float = LIST_SECONDS) -> list[Item]:
        """Every file that may be part of an export, at most DEPTH folders down."""
        with _problems(), within(seconds=seconds, most_bytes=MOST_LISTED):
            files, root = self._files()
            found = files.find(root, maxdepth=DEPTH, detail=True)
        if len(found) > MOST_ENTRIES:
            raise FolderError("too_many")
        return [
            Item(_below(root, path), int(info.get("size") or 0), _mark(info))
            for path, info in found.items()
            if info.get("type") == "file"
        ]

    def fetch(self, export: Export, target: IO[bytes], *, seconds: float = FETCH_SECONDS) -> None:
        """Copy an export to `target` as a zip, ready to be imported."""
        with _problems(), within(seconds=seconds, most_bytes=LARGEST + MOST_LISTED):
            if export.zipped:
                self._copy(export.files[0], target)
            else:
                self._pack(export, target)
        target.seek(0)

    def _files(self) -> tuple[Any, str]:
        """The file system, and the folder's path in it."""
        if self._opened is None:
            self._opened = _open(self._url, self._options, self._client)
        return self._opened

    def _copy(self, path: str, target: IO[bytes]) -> None:
        size = 0
        files, root = self._files()
        with files.open(f"{root.rstrip('/')}/{path}" if root else path, "rb") as source:
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


def _open(url: str, options: Mapping[str, Any], client: Client) -> tuple[Any, str]:
    """Open the file system; each kind's libraries are loaded only then."""
    scheme = urlsplit(url).scheme
    if scheme == "gdrive":
        from followersync.sources.drive import DriveFiles

        return DriveFiles(options["refresh_token"]), ""
    if scheme in ("webdav", "webdavs"):
        from followersync.sources.webdav import webdav_files

        return webdav_files(url, options, client)
    if scheme == "s3":
        from accounts.outbound.s3 import S3Files

        return S3Files(options, client, most=MOST_ENTRIES), url.removeprefix("s3://").strip("/")
    opened: tuple[Any, str] = fsspec.core.url_to_fs(
        url, skip_instance_cache=True, use_listings_cache=False, **options
    )
    return opened


def _below(root: str, path: str) -> str:
    return path.strip("/").removeprefix(root.strip("/")).lstrip("/")


@contextmanager
def _problems() -> Iterator[None]:
    """Turns any error inside into a FolderError, without a cause that could contain a key."""
    try:
        yield
    except FolderError:
        raise
    except OutboundError as error:
        raise FolderError(_REASONS.get(error.reason, "unreachable")) from None
    except Exception as error:
        raise _problem(error) from None


_REASONS = {"address_not_public": "not_public", "too_slow": "too_slow", "too_large": "too_many"}


def _problem(error: Exception) -> FolderError:
    """The code for a store's own error, whose text may contain an address or a key."""
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
    """The export's own folder: by Instagram's name for it, else the folder with the lists."""
    for depth, part in enumerate(path.parts[:-1], 1):
        if _EXPORT.match(part):
            return str(PurePosixPath(*path.parts[:depth]))
    above = path.parts[: path.parts.index(LISTS)]
    outer = above[:-1] if above and above[-1] == "connections" else above
    return str(PurePosixPath(*outer)) if outer else ""


def _day(path: str) -> str:
    """The export's day from its names; "" sorts the unnamed first."""
    found = re.findall(r"\d{4}-\d{2}-\d{2}", path)
    return found[-1] if found else ""
