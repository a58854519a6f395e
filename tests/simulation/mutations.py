"""Breaks the rules of losses that stand here, one after another; the simulation must notice each.

A rule whose loss goes unnoticed is either needless, or the world lacks what it stands against.
`python -m tests.simulation.mutations` prints the table. To add one: a line in MUTATIONS with its
name, what is replaced by what, the rows that must notice, and the wrong that must show. Where only
few histories notice, `python -m tests.simulation.mutations NAME` searches for their seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from random import Random
from typing import Any
from unittest.mock import patch

from tests.simulation.history import History
from tests.simulation.judge import Result
from tests.simulation.rows import ROWS, Scenario, scenario

SEED = 20_261_125
HISTORIES = 3
"""Of each row that must notice."""
SEARCHED = 200
"""Histories that a search tries."""
SYNCS = 100
SIZES = (12, 40, 100, 200, 300)
DOMAIN = "followersync.domain."

Make = Callable[[Any], Any]
"""Makes a replacement of what stands there."""


def value(new: Any) -> Make:
    return lambda _old: new


def says(answer: Any) -> Make:
    """A function that always answers the same."""
    return lambda _old: lambda *_args, **_kwargs: answer


@dataclass(frozen=True)
class Mutation:
    """`patches`: (module.attribute below the domain, replacement). `rows`: must notice.
    `shows`: the field of Result that must grow. `seeds`: histories that notice, as a search found
    them; without any, HISTORIES of each row."""

    name: str
    patches: tuple[tuple[str, Make], ...]
    rows: tuple[str, ...]
    shows: str = "false"
    seeds: tuple[int, ...] = ()
    given: tuple[Scenario, ...] = ()


def _one_sided(old: Any) -> Any:
    """Whoever stands below somebody shown, or above, is spoken of."""

    def witness(self: Any, place: int) -> Any:
        both = old(self, place)
        near = (span for span in self._spans if span.top > place or span.bottom < place)
        return both or next(near, None)

    return witness


def _all_gained(old: Any) -> Any:
    return lambda key, before, baseline, *, new: old(key, before, baseline, new=True)


def _together(seed: int, size: int, *kinds: str) -> Scenario:
    """A history of several faults at once, fifty rows a page."""
    return Scenario("two together, 1", seed, size, 50, kinds, syncs=SYNCS)


WITHHELD = ("withholds the same rows", "block as it was", "replica, whole readings")

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "one look proves what the count speaks for",
        (("patience.LOOKS_COUNTED", value(1)), ("patience.LOOKS_COUNTED_IN_DOUBT", value(1))),
        ("withholds the same rows", "replica, page by page", "omits 1.0% of the rows"),
        seeds=(28, 39, 50),
    ),
    Mutation(
        "the count always speaks for a loss",
        (("count.explains", says(True)), ("count.moves", says(True))),
        ("all at once",),
        seeds=(20, 128),
    ),
    Mutation(
        "witnessed people wait for an hour alone",
        (("patience.LOOKS", value(2)), ("patience.WAIT", value(3600))),
        WITHHELD,
    ),
    Mutation(
        "a witness on one side is enough",
        (("losses.Testimony.witness", _one_sided),),
        ("cut 30 %", "truncate 30 %", "all at once"),
    ),
    Mutation(
        "a capped list proves losses at its end",
        (("looks._suspects_cap", says(False)),),
        ("cap in mid-life",),
        seeds=(3, 21, 69),
    ),
    Mutation(
        "whoever has no witnesses waits for an hour alone",
        (
            ("patience.LOOKS_LONG", value(2)),
            ("patience.WAIT_LONG", value(3600)),
        ),
        ("cut 30 %", "empty 30 %", "truncate 30 %", "random each time"),
    ),
    Mutation(
        "waiting goes on while the list is short of the count",
        (("losses.is_short", says(False)), ("patience.WAIT_LONG", value(4 * 86_400))),
        ("cut 30 %",),
        seeds=(5,),
    ),
    Mutation(
        "a count that did not come down speaks for a loss",
        (("count.explains", says(True)),),
        ("block as it was", "withholds the same rows"),
        seeds=(28, 30),
    ),
    Mutation(
        "witnessed people wait for looks alone",
        (("patience.WAIT", value(0)),),
        ("withholds the same rows",),
        seeds=(0, 4),
    ),
    Mutation(
        "whoever has no witnesses waits for looks alone",
        (("patience.WAIT_LONG", value(0)),),
        ("cut 30 %",),
        seeds=(15, 19, 23),
    ),
    Mutation(
        "no list is short of its count",
        (("count.is_short", says(False)), ("losses.is_short", says(False))),
        ("two together, 1",),
        given=(
            _together(15, 40, "cut 30 %", "cap in mid-life"),
            _together(45, 100, "cut 30 %", "cap in mid-life"),
            _together(81, 100, "cut 30 %", "cap in mid-life"),
        ),
    ),
    Mutation(
        "a capped list is cleared at once",
        (("losses._varies", says(True)),),
        ("cap in mid-life", "cap from the start"),
        seeds=(3, 44),
    ),
    Mutation(
        "strangers in mid-list are called gained",
        (("places.kind_of", _all_gained), ("page_diff.kind_of", _all_gained)),
        ("cap from the start",),
        "false_gains",
    ),
)


@contextmanager
def broken(mutation: Mutation) -> Iterator[None]:
    """The domain with a rule broken, for a while. Raises AttributeError for what is not there."""
    with ExitStack() as stack:
        for target, make in mutation.patches:
            owner, name = _owner(target)
            stack.enter_context(patch.object(owner, name, make(getattr(owner, name))))
        yield


def _owner(target: str) -> tuple[Any, str]:
    module, *names = target.split(".")
    owner = import_module(f"{DOMAIN}{module}")
    for name in names[:-1]:
        owner = getattr(owner, name)
    return owner, names[-1]


def _scenario(row: str, seed: int) -> Scenario:
    rng = Random(seed)
    return replace(scenario(ROWS[row], rng, SYNCS), size=rng.choice(SIZES))


def scenarios(mutation: Mutation) -> tuple[Scenario, ...]:
    """The same few histories each time."""
    if mutation.given:
        return mutation.given
    seeds = mutation.seeds or tuple(range(SEED, SEED + HISTORIES))
    return tuple(_scenario(row, seed) for row in mutation.rows for seed in seeds)


def wrongs(todo: tuple[Scenario, ...]) -> Result:
    total = Result()
    for each in todo:
        total.add(History(each).run())
    return total


@cache
def usual(todo: tuple[Scenario, ...]) -> Result:
    """With all rules in force."""
    return wrongs(todo)


def noticed(mutation: Mutation) -> tuple[int, int]:
    """How many such wrongs there are with all rules, and with this one broken."""
    todo = scenarios(mutation)
    before = usual(todo)
    with broken(mutation):
        after = wrongs(todo)
    return len(getattr(before, mutation.shows)), len(getattr(after, mutation.shows))


def search(mutation: Mutation) -> Iterator[tuple[str, int]]:
    """Rows and seeds of histories that notice, of SEARCHED."""
    for number in range(SEARCHED):
        row = mutation.rows[number % len(mutation.rows)]
        one = replace(mutation, rows=(row,), seeds=(number,), given=())
        before, after = noticed(one)
        if after > before:
            yield row, number


def main() -> int:
    if len(sys.argv) > 1:
        for mutation in MUTATIONS:
            if sys.argv[1] in mutation.name:
                for row, seed in search(mutation):
                    print(f"{mutation.name}: {row}, seed {seed}", flush=True)
        return 0
    unnoticed = 0
    print(f"{'rule broken':<56}{'shows':<16}{'rules':>7}{'broken':>8}")
    for mutation in MUTATIONS:
        before, after = noticed(mutation)
        unnoticed += after <= before
        print(f"{mutation.name:<56}{mutation.shows:<16}{before:>7}{after:>8}", flush=True)
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
