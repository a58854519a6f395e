"""The closing figures of a soak, in plain lines."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.soak.verdict import Verdict

JUDGED = ("unequal", "false_losses", "false_claims", "gaps", "duplicates", "stuck")


def lines(found: Verdict) -> Iterator[str]:
    """A table with a row for each kind of list, then what is wrong."""
    yield f"{'kind of list':18} {'accounts':>8} {'losses':>7} {'false':>6}  told after, p50 / p95"
    for name, kind in sorted(found.kinds.items()):
        delays = spread(kind.delays)
        yield f"{name:18} {kind.accounts:8} {kind.losses:7} {kind.false:6}  {delays}"
    yield f"newcomers seen after: {spread(found.freshness)}"
    yield f"unconfirmed at the end: {found.unconfirmed}"
    for name in JUDGED:
        values = getattr(found, name)
        yield f"{name.replace('_', ' ')}: {len(values)}"
        for value in values[:5]:
            yield f"  {value}"


def spread(hours: list[float]) -> str:
    """Median and 95th percentile, in hours of the site's clock."""
    if len(hours) < 2:
        return f"({len(hours)} cases)"
    cuts = statistics.quantiles(hours, n=20)
    return f"{statistics.median(hours):.1f} h / {cuts[18]:.1f} h ({len(hours)} cases)"
