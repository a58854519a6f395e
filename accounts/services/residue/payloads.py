"""Searches encoded payloads for words of erased people: queue, tasks, sessions, cache."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from accounts.registry import Progress
from accounts.services.erasure import identifiers, payloads
from accounts.services.erasure.payloads import Payload
from accounts.services.residue.findings import ErasedIdentifierHashes, Finding, needles, note

#: Rows between two readings of the time.
STRETCH: Final = 500


def work(progress: Progress, until: float) -> int:
    """One slice. The cursor: table and last row."""
    wanted = needles()
    noted = 0
    for table, rows in payloads.SOURCES.items():
        if not wanted:
            break
        if table in progress.cursor.setdefault("done", []):
            continue
        for number, payload in enumerate(rows(progress.cursor.get("after")), 1):
            noted += note(_met(payload, wanted))
            if number % STRETCH == 0 and time.monotonic() >= until:
                progress.cursor["after"] = payload.key
                return noted
        progress.cursor["done"].append(table)
        progress.cursor["after"] = None
    progress.finished = True
    return noted


def _met(payload: Payload, wanted: ErasedIdentifierHashes) -> Iterator[Finding]:
    for known in wanted.met(identifiers.words_in(payload.value)):
        yield Finding(payload.table, "payload", payload.key, *known)
