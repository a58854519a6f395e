"""Encrypted files that every host can reach: exports, waiting uploads, transferred lists."""

from __future__ import annotations

from accounts.files.kept import (
    Area,
    count,
    discard,
    discard_incomplete,
    discard_unwanted,
    erase,
    keep,
    mark,
    names,
    opened,
    rotate,
    scratch,
    scratch_copy,
    sweep,
    writing,
)
from accounts.files.storage import Storage, StorageFailed, storage_at

__all__ = [
    "Area",
    "Storage",
    "StorageFailed",
    "count",
    "discard",
    "discard_incomplete",
    "discard_unwanted",
    "erase",
    "keep",
    "mark",
    "names",
    "opened",
    "rotate",
    "scratch",
    "scratch_copy",
    "storage_at",
    "sweep",
    "writing",
]
