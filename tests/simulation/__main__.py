"""`python -m tests.simulation`: simulate, print the table, fail on a false loss.

Options: --syncs N (faulty syncs in all), --seed N, --jobs N, --only ROW or GROUP, --rows (list
them), --json FILE (keep the figures), --against FILE (an earlier run's figures beside these),
--show N (examples of each wrong).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from multiprocessing import Pool
from pathlib import Path
from random import SystemRandom
from typing import Any

from tests.simulation import table
from tests.simulation.history import History
from tests.simulation.judge import Result
from tests.simulation.rows import ROWS, Scenario, scenarios


def simulate(scenario: Scenario) -> tuple[str, Result]:
    return scenario.row, History(scenario).run()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--syncs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default=None)
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--against", type=Path, default=None)
    parser.add_argument("--show", type=int, default=2)
    return parser.parse_args()


def main() -> int:
    given = options()
    if given.rows:
        print(*(f"{row.group:<16}{row.name}" for row in ROWS.values()), sep="\n")
        return 0
    print(f"seed {given.seed}", flush=True)
    began = time.monotonic()
    results = run(list(scenarios(given.only, given.syncs, given.seed)), given.jobs)
    return report(results, given, time.monotonic() - began)


def run(todo: list[Scenario], jobs: int) -> dict[str, Result]:
    """The results by row, in the order of the rows."""
    results: dict[str, Result] = {}
    if jobs > 1:
        with Pool(jobs) as pool:
            for name, result in pool.imap(simulate, todo, 2):
                results.setdefault(name, Result()).add(result)
    else:
        for scenario in todo:
            results.setdefault(scenario.row, Result()).add(simulate(scenario)[1])
    return results


def report(results: dict[str, Result], given: argparse.Namespace, seconds: float) -> int:
    total, honest = Result(), Result()
    for name, result in results.items():
        total.add(result)
        if ROWS[name].honest:
            honest.add(result)
    rows = {name: table.numbers(result) for name, result in results.items()}
    rows["all"] = table.numbers(total)
    before: dict[str, Any] = json.loads(given.against.read_text())["rows"] if given.against else {}
    print(table.heading())
    for name, figures in rows.items():
        if name in before:
            print(table.line_against(name, figures, before[name]))
        else:
            print(table.line(name, figures))
    rate = total.faulty / seconds
    print(f"{rate:,.0f} faulty syncs a second, {total.faulty:,} and {total.syncs:,} in all")
    for met, text in table.goals(rows["all"], rows):
        print("met   " if met else "MISSED", text)
    for kind in ("false", "not_held", "false_complete", "false_gains", "never", "unequal"):
        for note in getattr(total, kind)[: given.show]:
            print(note)
    if given.json:
        given.json.write_text(json.dumps({"seed": given.seed, "rows": rows}, indent=1))
    return 1 if any(rows["all"][kind] for kind in table.FATAL) else 0


if __name__ == "__main__":
    sys.exit(main())
