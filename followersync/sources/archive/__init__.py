"""Instagram's "Export your information", read as a stream. Only `wording` knows Django."""

from __future__ import annotations

from followersync.sources.archive.batches import Batch
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.limits import Limits
from followersync.sources.archive.reader import Archive, Range, merged, open_archive

__all__ = [
    "Archive",
    "ArchiveError",
    "Batch",
    "Limits",
    "Problem",
    "Range",
    "merged",
    "open_archive",
]
