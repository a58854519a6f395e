"""Benchmark results: one line per row on the terminal, all in bench/results.json."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "results.json"


class WrongResult(Exception):
    """Stored data is wrong: the only reason for a benchmark to fail."""


@dataclass(frozen=True, slots=True)
class Target:
    """`want` and `stretch` bound the value: at most, or at least where `least`."""

    want: float
    stretch: float
    least: bool = False

    def verdict(self, value: float) -> str:
        if self._meets(value, self.stretch):
            return "stretch"
        return "met" if self._meets(value, self.want) else "MISSED"

    def _meets(self, value: float, bound: float) -> bool:
        return value >= bound if self.least else value <= bound

    def __str__(self) -> str:
        sign = "≥" if self.least else "≤"
        return f"{sign} {self.want:g} ({self.stretch:g})"


_QUERY = Target(2, 0.5)
TARGETS: dict[str, Target] = {
    "first_load_over_copy": Target(7, 4.5),
    "no_change_over_parse": Target(1.6, 1.3),
    "changed_over_no_change": Target(2.2, 1.5),
    "scan_added_ms_per_1000": Target(4, 2),
    "no_change_wal_bytes": Target(4096, 1024),
    "bytes_per_follower": Target(110, 95),
    "bytes_for_search": Target(45, 35),
    "bytes_per_interval": Target(150, 110),
    "peak_rss_mb": Target(300, 150),
    "dlt_first_over_ours": Target(12, 16, least=True),
    "dlt_no_change_over_ours": Target(50, 70, least=True),
    "dbt_no_change_over_ours": Target(8, 12, least=True),
    "no_change_calls": Target(2, 1),
    "month_calls_over_budget": Target(1, 1 / 3),
    "month_worst_loss_days": Target(7, 7),
    "newest_page_ms": _QUERY,
    "deep_page_ms": _QUERY,
    "history_ms": _QUERY,
    "prefix_search_ms": _QUERY,
    "as_of_page_ms": _QUERY,
    "series_ms": _QUERY,
    "api_page_over_bare_view": Target(4, 2),
    "overview_page_over_bare_view": Target(6, 4),
    "checked_over_bare_client": Target(0.4, 0.7, least=True),
    "webhook_p95_s": Target(5, 2),
    "scheduled_lag_p95_s": Target(60, 15),
    "erasure_over_bare_delete": Target(2, 2),
}


@dataclass(slots=True)
class Results:
    """Rows by (what, n); measuring one again replaces it."""

    file: Path = FILE
    rows: list[dict[str, Any]] = field(default_factory=list)
    commit: str = ""

    def __post_init__(self) -> None:
        self.commit = _commit()

    def add(
        self,
        what: str,
        n: int,
        values: Sequence[float],
        unit: str,
        *,
        floor: float | None = None,
    ) -> None:
        """The median of `values`; `floor`: the baseline, in seconds or its own unit."""
        value = statistics.median(values)
        row = {
            "what": what,
            "n": n,
            "value": _rounded(value),
            "unit": unit,
            "floor": None if floor is None else _rounded(floor),
            "runs": len(values),
            "commit": self.commit,
        }
        self.rows.append(row)
        print(line(row), flush=True)

    def write(self) -> None:
        """Keep other runs' results that this one did not measure."""
        known = json.loads(self.file.read_text()) if self.file.exists() else []
        ours = {(row["what"], row["n"]) for row in self.rows}
        once = {row["what"] for row in self.rows} - {"seconds_per_million"}
        kept = [r for r in known if (r["what"], r["n"]) not in ours and r["what"] not in once]
        order = [*TARGETS, "seconds_per_million"]
        rows = sorted(
            kept + self.rows,
            key=lambda r: (order.index(r["what"]) if r["what"] in order else 99, r["n"]),
        )
        text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        self.file.write_text(f"[\n{text}\n]\n", encoding="utf-8")


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    target = TARGETS.get(row["what"])
    floor = "" if row["floor"] is None else f"floor {row['floor']:g}"
    aim = f"{target!s:>14}  {target.verdict(row['value'])}" if target else ""
    value = f"{row['value']:>12,.10g} {row['unit']:<6}"
    return f"{row['what']:<26} {row['n']:>9,} {value} {floor:<16} {aim}".rstrip()


def _rounded(value: float) -> float:
    """Four significant figures."""
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value)


def _commit() -> str:
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=FILE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip()
