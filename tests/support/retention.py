"""Every retention rule carried out at once, as the nights do piece by piece."""

from __future__ import annotations

import math
import time

from accounts import registry
from accounts.services import retention


def apply_retention(*, max_seconds: float = math.inf) -> dict[str, int]:
    """The rows that each rule removed."""
    until = time.monotonic() + max_seconds
    done: dict[str, int] = {}
    for name, slice_of in retention.work().items():
        progress, done[name] = registry.Progress(), 0
        while not progress.finished and time.monotonic() < until:
            done[name] += slice_of(progress, until)
    return done
