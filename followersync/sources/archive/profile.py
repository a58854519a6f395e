"""The owner's name from the personal information that full exports carry along."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import msgspec

from followersync.sources.archive.container import Container
from followersync.sources.archive.errors import ArchiveError
from followersync.sources.archive.labels import USERNAME_LABELS
from followersync.sources.archive.locate import Lists
from followersync.sources.archive.text import as_handle, unmangle

_FILE = "personal_information.json"
_LARGEST = 1 << 20


def owner_in_profile(container: Container, lists: Lists) -> str | None:
    """The username in `personal_information.json`; None where it is absent or unreadable.

    Only beside the list that is read: a file of another export in the same folder says nothing.
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
    except (ArchiveError, msgspec.DecodeError, LookupError, TypeError, AttributeError):
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
