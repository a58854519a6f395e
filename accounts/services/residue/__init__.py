"""The nightly look for what erasures left: by key, and by the words of those erased lately."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from accounts.registry import NightWork, Progress
from accounts.services.residue import identifiers, orphans, payloads
from accounts.services.residue.judging import clear, open_findings

#: Its parts, each done in slices (`accounts.services.nightly`).
WORK: Final[Mapping[str, NightWork]] = MappingProxyType(
    {
        "rows without an owner": orphans.work,
        "words in tables": identifiers.work,
        "words in queue, sessions and cache": payloads.work,
    }
)

__all__ = ["WORK", "clear", "open_findings", "search"]


def search() -> int:
    """All of it here and now; how many new doubtful rows were noted for staff."""
    noted = 0
    for work in WORK.values():
        progress = Progress()
        while not progress.finished:
            noted += work(progress, float("inf"))
    return noted
