"""What each rule of losses buys: the whole world with it left out, and with it alone.

`python -m tests.simulation.rules --syncs N --seed N` prints the two tables: false losses, people
never told, and the days until a loss is told in lists of 30 to 20,000 without faults.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import Pool
from random import SystemRandom
from typing import Any

from tests.simulation.history import History
from tests.simulation.judge import Result
from tests.simulation.mutations import Make, Mutation, broken, says, value
from tests.simulation.rows import scenarios
from tests.simulation.table import numbers

DAY = 86_400


def _where(**flags: Any) -> Make:
    """Every context of a judgement with these flags."""

    def make(old: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: replace(old(*args, **kwargs), **flags)

    return make


def _context(**flags: Any) -> tuple[tuple[str, Make], ...]:
    return (("engine.judge_context", _where(**flags)),)


@dataclass(frozen=True)
class Rule:
    """`without`: what the domain is like where the rule does not hold."""

    name: str
    without: tuple[tuple[str, Make], ...]


RULES: tuple[Rule, ...] = (
    Rule(
        "looks count six hours apart",
        (("losses.LOOKS_APART", value(60)), ("planner.LOOKS_APART", value(60))),
    ),
    Rule(
        "the count holds back what it does not explain",
        (*_context(explained=True), ("count.all_left", says(True))),
    ),
    Rule(
        "four days where the count does not speak",
        (("patience.WAIT", value(0)), ("patience.LOOKS", value(2))),
    ),
    Rule("whoever came back teaches patience", (("patience._recent", says([])),)),
    Rule("a capped list is suspected", (("looks._suspects_cap", says(False)),)),
    Rule("an odd look marks nobody", (("looks.implausible", says(False)),)),
    Rule("a list in another order has no count", (("looks.is_mixed", says(False)),)),
    Rule("newcomers may be missing from old pages", _context(lately=1 << 62)),
    Rule("a count that agrees later settles who left", _context(all_left=False)),
    Rule(
        "two weeks where nobody testifies",
        (
            ("patience.WAIT_LONG", value(4 * DAY)),
            ("patience.LOOKS_LONG", value(8)),
        ),
    ),
    Rule(
        "short of the count, time alone proves nothing",
        (("losses.is_short", says(False)), ("count.is_short", says(False))),
    ),
)


def left_out(rules: tuple[Rule, ...]) -> ExitStack:
    stack = ExitStack()
    for rule in rules:
        stack.enter_context(broken(Mutation(rule.name, rule.without, ())))
    return stack


def live(job: tuple[tuple[str, ...], int, int]) -> Result:
    """The whole world with the rules of these names left out."""
    names, syncs, seed = job
    rules = tuple(rule for rule in RULES if rule.name in names)
    total = Result()
    with left_out(rules):
        for each in scenarios(None, syncs, seed):
            total.add(History(each).run())
    return total


def jobs() -> Iterator[tuple[str, tuple[Rule, ...]]]:
    yield "all rules", ()
    for rule in RULES:
        yield f"without: {rule.name}", (rule,)
    yield "none of them", RULES
    for rule in RULES:
        yield f"alone: {rule.name}", tuple(one for one in RULES if one is not rule)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.simulation.rules", description=__doc__)
    parser.add_argument("--syncs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.syncs:,} faulty syncs each")
    print(f"{'':<58}{'lost':>8}{'false':>7}{'never':>7}{'days':>11}")
    todo = list(jobs())
    with Pool(given.jobs) as pool:
        names = [tuple(rule.name for rule in rules) for _, rules in todo]
        results = pool.imap(live, [(each, given.syncs, given.seed) for each in names])
        for (name, _), result in zip(todo, results, strict=True):
            figures = numbers(result)
            days = "/".join("-" if day is None else f"{day:.1f}" for day in figures["long_days"])
            cells = (figures["lost"], figures["false"], figures["never"], days)
            print(f"{name:<58}{cells[0]:>8}{cells[1]:>7}{cells[2]:>7}{cells[3]:>11}", flush=True)


if __name__ == "__main__":
    main()
