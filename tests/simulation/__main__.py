"""`python -m tests.simulation`: simulate, print the table, fail on a false loss.

Options: --syncs N (faulty syncs in all), --seed N, --jobs N, --only SCENARIO, --show N.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from multiprocessing import Pool
from random import Random, SystemRandom

from tests.simulation.history import History, Result, Scenario

FAULTS = ("empty", "cut", "truncate", "error", "duplicate", "shuffle", "count", "loop")
SETTINGS: dict[str, dict[str, float]] = {
    "nothing": {},
    **{f"{fault} 30 %": {fault: 0.3} for fault in FAULTS},
    "kills 10 %": {"kill": 0.1},
    "budget": {"budget": 1.0},
    "empty + count 30 %": {"empty": 0.3, "count": 0.3},
    "cut + count 30 %": {"cut": 0.3, "count": 0.3},
    "cut + shuffle 30 %": {"cut": 0.3, "shuffle": 0.3},
    "all at 5 %": {**dict.fromkeys(FAULTS, 0.05), "kill": 0.02},
    "all at 30 %": {**dict.fromkeys(FAULTS, 0.3), "kill": 0.05},
}
SIZES = (0, 1, 2, 3, 5, 8, 15, 30, 60, 100, 200, 300, 300)
SYNCS_A_HISTORY = 120
HEADER = (
    f"{'fault':<20}{'syncs':>8}{'lost':>7}{'false':>6}{'never':>6}{'not held':>9}{'false+':>7}"
    f"{'late+':>6}{'looks p50/p95':>15}{'clean N>=30':>13}{'clean N<30':>12}{'clean days':>12}"
    f"{'calls':>7}"
)


def scenarios(only: str | None, syncs: int, seed: int) -> Iterator[Scenario]:
    """Histories in turn over all settings until there are enough faulty syncs."""
    rng = Random(seed)
    names = [name for name in SETTINGS if only is None or only in name]
    for number in range(max(len(names), -(-syncs // SYNCS_A_HISTORY))):
        name = names[number % len(names)]
        faults = dict(SETTINGS[name])
        size = rng.choice(SIZES)
        kill = faults.pop("kill", 0.0)
        budget = rng.randint(4, 8) if faults.pop("budget", 0.0) else None
        limit = rng.choice((20, 50, 100, 1000))
        yield Scenario(
            name, faults, size, limit, rng.randrange(1 << 40), SYNCS_A_HISTORY, kill, budget
        )


def simulate(scenario: Scenario) -> tuple[str, Result]:
    return scenario.name, History(scenario).run()


def percentile(values: list[float], share: float) -> str:
    if not values:
        return "-"
    value = sorted(values)[min(len(values) - 1, int(len(values) * share))]
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def pair(values: list[int] | list[float]) -> str:
    numbers = [float(value) for value in values]
    return f"{percentile(numbers, 0.5)}/{percentile(numbers, 0.95)}"


def line(name: str, result: Result) -> str:
    ratio = result.calls / max(1, result.full_calls)
    return (
        f"{name:<20}{result.faulty:>8}{result.lost:>7}{len(result.false_losses):>6}"
        f"{len(result.never):>6}{len(result.not_held):>9}{len(result.false_gains):>7}"
        f"{result.late_gains:>6}{pair(result.delays):>15}{pair(result.clean_delays):>13}"
        f"{pair(result.small_delays):>12}"
        f"{pair(result.clean_days):>12}{ratio:>7.2f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--syncs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default=None)
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    todo = list(scenarios(options.only, options.syncs, options.seed))
    results: dict[str, Result] = {}
    with Pool(options.jobs) as pool:
        done = pool.imap(simulate, todo, 4) if options.jobs > 1 else map(simulate, todo)
        for name, result in done:
            results.setdefault(name, Result()).add(result)
    return report(results, time.monotonic() - began, options.show)


def report(results: dict[str, Result], seconds: float, show: int) -> int:
    total = Result()
    print(HEADER)
    for name, result in results.items():
        print(line(name, result))
        total.add(result)
    print(line("all", total))
    print(f"{total.syncs / seconds:,.0f} syncs a second, {total.syncs:,} in all")
    for notes in (total.false_losses, total.not_held, total.false_gains, total.never):
        for note in notes[:show]:
            print(note)
    return 1 if total.false_losses or total.not_held else 0


if __name__ == "__main__":
    sys.exit(main())
