"""Owner of an export: by the profile in it, else by the names that Instagram gave it.

Anybody can rename a zip or a folder. Only Instagram's own name for an export, with its eight
random characters, states an owner and a day. `word_20261120`, as backup tools write it and as
Instagram did until about 2020, has a word in place of the owner: that is a hint at most, and its
day may be the day of the backup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

import msgspec

from followersync.sources.archive.container import Container
from followersync.sources.archive.errors import ArchiveError
from followersync.sources.archive.labels import USERNAME_LABELS
from followersync.sources.archive.locate import Lists
from followersync.sources.archive.usernames import as_handle, unmangle

_EXPORT = re.compile(
    r"instagram-([a-z0-9._]{1,30})-(\d{4}-\d{2}-\d{2})-[a-z0-9]{8}(?![a-z0-9_-])", re.I
)
_HINTS = (
    re.compile(r"instagram-([a-z0-9._]{1,30})-\d{4}-\d{2}-\d{2}\b.*", re.I),
    re.compile(r"([a-z0-9._]{1,30})_\d{8}(?:_part_\d+)?(?:\.zip)?", re.I),
)
_DRIVE = re.compile(r"meta-(\d{4}-[A-Z][a-z]{2}-\d{1,2})-\d{2}-\d{2}-\d{2}")
_FILE = "personal_information.json"
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Stated:
    """What names state: the owner and the day, and a word that may be the owner."""

    owner: str | None = None
    hint: str | None = None
    day: date | None = None

    def or_else(self, owner: str | None, day: date | None) -> Stated:
        """The same, completed by what a page states."""
        return Stated(self.owner or owner, self.hint, self.day or day)


def in_names(container: str, member: str) -> Stated:
    """What the archive's name and the folders around the list state; Instagram's form first."""
    pieces = (container, *reversed(PurePosixPath(member).parts[:-1]))
    owner, hint, day = None, None, None
    for piece in pieces:
        match = _EXPORT.match(piece)
        if match and owner is None and (stated := _day(match[2])):
            owner, day = as_handle(match[1]), stated
        elif hint is None:
            hint = next((as_handle(m[1]) for form in _HINTS if (m := form.fullmatch(piece))), None)
    for piece in pieces:
        if day is None and (drive := _DRIVE.match(piece)):
            day = _day(drive[1])
    return Stated(owner, hint, day)


def in_profile(container: Container, lists: Lists) -> str | None:
    """The username in `personal_information.json`; None where it is absent or unreadable.

    Only beside the list that is read: a file of another export in the same folder proves nothing.
    """
    root = PurePosixPath(lists.root).parent.parent
    paths = [
        name
        for name in container.names
        if PurePosixPath(name).name == _FILE and PurePosixPath(name).is_relative_to(root)
    ]
    if len(paths) != 1:
        return None
    try:
        data = _head(container, paths[0])
        profile = msgspec.json.decode(data)["profile_user"][0]["string_map_data"]
        return _username(profile)
    except (ArchiveError, msgspec.DecodeError, RecursionError):
        return None
    except (LookupError, TypeError, AttributeError):
        return None


def _head(container: Container, member: str) -> bytes:
    data = b""
    for piece in container.stream(member):
        data += piece
        if len(data) > _LARGEST:
            break
    return data


def _username(profile: dict[str, Any]) -> str | None:
    for label, entry in profile.items():
        if unmangle(label).strip().casefold() in USERNAME_LABELS:
            return as_handle(entry.get("value"))
    return None


def _day(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%Y-%b-%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None
