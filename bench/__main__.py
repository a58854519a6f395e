"""`python -m bench [--n N] [--runs R] [PART …]`: measure, print the table, write results.json."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from bench import bulk, delivery, ground, month, pages, queries, scan
from bench.results import FILE, Results

Part = Callable[[Results, int, int], None]


def _bulk(results: Results, n: int, runs: int) -> None:
    bulk.measure(results, n, runs)


def _memory(results: Results, n: int, runs: int) -> None:
    bulk.peak_memory(results, n, runs)


def _scale(results: Results, n: int, runs: int) -> None:
    bulk.scale(results, [max(1, n // 100), max(1, n // 10), n])


PARTS: dict[str, Part] = {
    "bulk": _bulk,
    "memory": _memory,
    "scale": _scale,
    "scan": scan.measure,
    "queries": queries.measure,
    "month": month.measure,
    "delivery": delivery.measure,
    "pages": pages.measure,
}


def main() -> None:
    """Results are written after each part, so that an aborted run loses little."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--n", type=int, default=1_000_000, help="followers in the list")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=FILE)
    chosen = parser.parse_args()
    results = Results(chosen.out)
    with ground.prepared():
        for name in chosen.parts or PARTS:
            begun = time.monotonic()
            PARTS[name](results, chosen.n, chosen.runs)
            results.write()
            print(f"# {name}: {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
