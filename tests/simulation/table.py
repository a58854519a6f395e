"""The table of a simulation, its goals, and two tables side by side."""

from __future__ import annotations

from typing import Any

from tests.simulation.judge import Result
from tests.simulation.population import HOUR

COLUMNS: tuple[tuple[str, str, int], ...] = (
    ("syncs", "faulty", 8),
    ("lost", "lost", 8),
    ("false", "false", 7),
    ("hist", "bad_histories", 5),
    ("=row", "same_as_row", 5),
    ("=end", "same_as_end", 5),
    ("=1st", "same_as_first", 5),
    ("never", "never", 6),
    ("false+", "false_gains", 7),
    ("unheld", "not_held", 7),
    ("unequal", "unequal", 8),
    ("complete", "false_complete", 9),
    ("min h", "least_hours", 6),
    ("1st look", "first_look_share", 9),
    ("1-5", "tiny_days", 10),
    ("6-29", "short_days", 10),
    ("30-", "long_days", 10),
    ("syncs 30-", "long_syncs", 10),
    ("clean d", "after_end_days", 8),
    ("calls", "calls_a_sync", 6),
)
"""Heading, key of `numbers`, width."""


def percentile(values: list[float], share: float) -> float | None:
    if not values:
        return None
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _pair(values: list[float]) -> list[float | None]:
    return [percentile(values, 0.5), percentile(values, 0.95)]


def numbers(result: Result) -> dict[str, Any]:
    """A result as plain figures, for the table and for JSON."""
    figures: dict[str, Any] = {
        name: len(value) if isinstance(value, list) else value
        for name, value in vars(result).items()
        if name not in ("quiet_calls", "tiny", "short", "long", "waits", "after_end")
    }
    for name in ("tiny", "short", "long"):
        delays = getattr(result, name)
        figures[f"{name}_syncs"] = _pair([float(syncs) for syncs, _ in delays])
        figures[f"{name}_days"] = _pair([days for _, days in delays])
        figures[f"{name}_slowest_days"] = max((days for _, days in delays), default=None)
    figures["least_hours"] = min(result.waits) / HOUR if result.waits else None
    looks = result.first_looks
    figures["first_look_share"] = result.first_seen / looks if looks else None
    figures["after_end_days"] = max(result.after_end, default=None)
    figures["calls_a_sync"] = result.calls / max(1, result.syncs)
    figures["quiet_calls"] = percentile([float(calls) for calls in result.quiet_calls], 0.5)
    return figures


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return "/".join(map(_cell, value))
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"
    return str(value)


def heading() -> str:
    return f"{'row':<38}" + "".join(f"{head:>{width}}" for head, _, width in COLUMNS)


def line(name: str, figures: dict[str, Any]) -> str:
    cells = (f"{_cell(figures.get(key)):>{width}}" for _, key, width in COLUMNS)
    return f"{name:<38}" + "".join(cells)


def line_against(name: str, figures: dict[str, Any], before: dict[str, Any]) -> str:
    """A line of an earlier run above today's."""
    return f"{line('  before', before)}\n{line(name, figures)}"


GOALS: tuple[tuple[str, str], ...] = (
    ("false", "no false loss"),
    ("never", "everybody told within 14 clean days"),
    ("false_gains", "no false gain"),
    ("not_held", "everybody who follows is held"),
    ("unequal", "equal at the end"),
    ("false_complete", "complete is never claimed falsely"),
)
FATAL = ("false", "not_held", "false_complete")


def goals(total: dict[str, Any], rows: dict[str, dict[str, Any]]) -> list[tuple[bool, str]]:
    """Each goal of this run, and whether it is met."""
    met = [(not total[key], f"{text}: {total[key]}") for key, text in GOALS]
    least = total["least_hours"]
    met.append((least is None or least >= 6, f"two looks six hours apart: {_cell(least)} h"))
    share = total["first_look_share"]
    met.append((share is None or share == 1, f"unconfirmed at the first look: {_cell(share)}"))
    for key, text, most in (
        ("long_days", "honest lists of 30 to 20,000 told (p50 1, p95 3 days)", (1, 3)),
        ("short_days", "honest lists of 6 to 29 told (p95 7 days)", (None, 7)),
        ("tiny_days", "lists of 1 to 5 told (p95 14 days)", (None, 14)),
    ):
        within = all(
            value is None or limit is None or value <= limit
            for value, limit in zip(total[key], most, strict=True)
        )
        met.append((within, f"{text}: {_cell(total[key])}"))
    for name in ("purge", "giveaway"):
        slowest = rows.get(name, {}).get("long_days", [None, None])[1]
        met.append((slowest is None or slowest <= 2, f"{name} told (p95 2 days): {_cell(slowest)}"))
    slowest = total["after_end_days"]
    met.append((slowest is None or slowest <= 14, f"told after faults (14 d): {_cell(slowest)}"))
    quiet = total["quiet_calls"]
    met.append((quiet is None or quiet <= 2, f"calls of a quiet sync (p50 2): {_cell(quiet)}"))
    return met
