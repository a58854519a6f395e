"""Watched folder texts: its state in words, never its secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from accounts.models import LinkedAccount
from followersync.models import WatchedExport, WatchedFolder
from followersync.services.imports import watched_folders
from followersync.sources import drive
from followersync.texts.errors import in_words

SHOWN_EXPORTS = 5


@dataclass(frozen=True)
class FoundExport:
    """One export found in the folder. `problem` is "" where it was handed to an import."""

    name: str
    at: datetime
    problem: str


@dataclass(frozen=True)
class FolderStatus:
    """`problem` is "" where the last look succeeded."""

    url: str
    looked_at: datetime | None
    next_look_at: datetime | None
    problem: str
    exports: list[FoundExport]


def folder_status(account: LinkedAccount) -> FolderStatus | None:
    """None where no folder is watched."""
    folder = WatchedFolder.objects.filter(account=account).first()
    if folder is None:
        return None
    taken = WatchedExport.objects.filter(account=account).order_by("-pk")[:SHOWN_EXPORTS]
    code = folder.error_code.removeprefix("folder_")
    return FolderStatus(
        url="Google Drive" if folder.url == drive.URL else folder.url,
        looked_at=folder.looked_at,
        next_look_at=folder.next_look_at,
        problem=str(watched_folders.DETAILS.get(code, watched_folders.DETAILS["unreachable"]))
        if code
        else "",
        exports=[
            FoundExport(
                name=PurePosixPath(each.path).name,
                at=each.taken_at,
                problem=in_words(each.error_code) if each.error_code else "",
            )
            for each in taken
        ],
    )
