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
from accounts.files.storage import StorageFailed, is_no_room

__all__ = [
    "Area",
    "StorageFailed",
    "count",
    "discard",
    "discard_incomplete",
    "discard_unwanted",
    "erase",
    "is_no_room",
    "keep",
    "mark",
    "names",
    "opened",
    "rotate",
    "scratch",
    "scratch_copy",
    "sweep",
    "writing",
]
