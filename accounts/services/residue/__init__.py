"""Nightly search for residue of erasures: by key, and by the words of those erased lately."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from accounts.registry import NightWork, Progress
from accounts.services.residue import identifiers, orphans, payloads

#: The parts of the search, each done in slices (`accounts.services.nightly`).
WORK: Final[Mapping[str, NightWork]] = MappingProxyType(
    {
        "rows without an owner": orphans.work,
        "words in tables": identifiers.work,
        "words in queue, sessions and cache": payloads.work,
    }
)

__all__ = ["WORK", "search"]


def search() -> int:
    """Run the whole search at once; returns how many new findings were recorded."""
    noted = 0
    for work in WORK.values():
        progress = Progress()
        while not progress.finished:
            noted += work(progress, float("inf"))
    return noted
