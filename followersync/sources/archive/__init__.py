"""Instagram's "Export your information", read as a stream. Only `wording` imports Django."""

from __future__ import annotations

from followersync.sources.archive.batches import ColumnBatch
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.facts import Archive
from followersync.sources.archive.limits import Limits
from followersync.sources.archive.reader import check_container, open_archive

__all__ = [
    "Archive",
    "ArchiveError",
    "ColumnBatch",
    "Limits",
    "Problem",
    "check_container",
    "open_archive",
]
