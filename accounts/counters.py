"""Counters and histograms for `/metrics`, summed over all processes.

A process keeps its counts in memory and adds them to one table every few seconds over its existing
connection: it needs no port, file or thread for them, and each host's `/metrics` covers all hosts.
A killed process loses the counts it had not yet added.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from django.db import Error, connection

logger = logging.getLogger(__name__)

#: The least time between two additions to the table.
FLUSH_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 30.0
#: Upper bounds in seconds; larger values count in the sum and the count only.
CALLS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
REQUESTS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
TASKS: Final = (0.05, 0.25, 1.0, 5.0, 20.0, 60.0, 120.0)
#: Our own codes, routes and states; anything else could name a person.
_WORD: Final = re.compile(r"[a-z0-9_.]{1,64}")
OTHER: Final = "other"


@dataclass(frozen=True)
class Measure:
    """One metric family: a counter without `bounds`, else a histogram of seconds."""

    meaning: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()


MEASURES: Final[dict[str, Measure]] = {
    "instagram_calls": Measure(
        "Calls to Instagram by their outcome: ok, or the code of the error", ("route", "outcome")
    ),
    "instagram_call_seconds": Measure("How long calls to Instagram took", ("route",), CALLS),
    "runs": Measure(
        "Sync runs and imports that ended or had to wait, by state and error code",
        ("kind", "state", "code"),
    ),
    "webhook_deliveries": Measure("Messages to members' webhooks: ok, or why not", ("outcome",)),
    "http_request_seconds": Measure(
        "How long requests took until their answer began", ("area", "status"), REQUESTS
    ),
    "task_seconds": Measure("How long the queue's tasks took", ("task", "outcome"), TASKS),
}
#: (measure, values of its labels, part): "total"; of a histogram "sum" or a bound as text.
Key = tuple[str, tuple[str, ...], str]

_ADD: Final = """
INSERT INTO accounts_counter AS c (name, labels, part, value)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::float8[])
ON CONFLICT (name, labels, part) DO UPDATE SET value = c.value + excluded.value
"""
_pending: defaultdict[Key, float] = defaultdict(float)
_lock = threading.Lock()
_flushed_at = 0.0


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Increase a counter. Labels hold our own words: routes, states, codes; never a name."""
    values = _values(name, labels)
    with _lock:
        _pending[name, values, "total"] += amount


def observe(name: str, seconds: float, **labels: str) -> None:
    """Add one duration to a histogram."""
    values, bounds = _values(name, labels), MEASURES[name].bounds
    place = bisect_left(bounds, seconds)
    bound = str(bounds[place]) if place < len(bounds) else "+Inf"
    with _lock:
        _pending[name, values, "sum"] += seconds
        _pending[name, values, bound] += 1


def _values(name: str, labels: dict[str, str]) -> tuple[str, ...]:
    measure = MEASURES[name]
    if set(labels) != set(measure.labels):
        raise ValueError(f"{name} has the labels {measure.labels}, not {tuple(labels)}")
    found = (labels[each] for each in measure.labels)
    return tuple(each if _WORD.fullmatch(each) else OTHER for each in found)


def flush_when_due() -> None:
    """Flush, unless this was just done or a transaction is open."""
    if time.monotonic() - _flushed_at >= FLUSH_SECONDS and not connection.in_atomic_block:
        flush()


def flush() -> None:
    """Add this process's counts to the table; keep them if it cannot be reached."""
    global _flushed_at
    with _lock:
        taken = dict(_pending)
        _pending.clear()
        _flushed_at = time.monotonic()
    if not taken:
        return
    # Sorted, so that two processes cannot deadlock.
    rows = [(name, ",".join(values), part) for name, values, part in sorted(taken)]
    names, labels, parts = (list(column) for column in zip(*rows, strict=True))
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                _ADD, [names, labels, parts, [float(taken[key]) for key in sorted(taken)]]
            )
    except Error as error:
        # The outage is logged where it was met; do not try the database again at once.
        logger.info("counters are kept until the database answers: %s", type(error).__name__)
        with _lock:
            _flushed_at = time.monotonic() + RETRY_SECONDS - FLUSH_SECONDS
            for key, value in taken.items():
                _pending[key] += value


def _forget() -> None:
    """A forked process starts at zero: its parent adds the earlier counts."""
    global _lock
    _lock = threading.Lock()
    _pending.clear()


os.register_at_fork(after_in_child=_forget)
