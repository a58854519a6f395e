"""The rows of the table: which faults and events each history of a row has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.simulation.answers import Count, Cursors, FewerRows, Overlap, Spoils
from tests.simulation.fault import ALWAYS, AT_ONCE, Fault, Span
from tests.simulation.faults import Cap, Hole, Omits, Order, Replica, StaleBlock, Withholds

LONG: Span = (0.04, 21.0)
"""From an hour to weeks."""
DAYS: Span = (1.0, 3.0)
BETWEEN: Span = (0.5, 6.0)
RARE: Span = (4.0, 40.0)
SIZES = (0, 1, 2, 3, 5, 8, 12, 20, 29, 40, 60, 100, 100, 200, 200, 300, 300, 300)

Make = Callable[[Random, Span, Span, Span], Fault]
"""A fault of a first spell, a length and pauses that may be shortened or lengthened."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `first`, `lasts`, `pauses` as in Fault; `group`: the row of design."""

    group: str
    make: Make
    first: Span = (0.0, 3.0)
    lasts: Span = LONG
    pauses: Span = BETWEEN

    def fault(self, rng: Random, *, rare: bool = False) -> Fault:
        first, pauses = (RARE, RARE) if rare else (self.first, self.pauses)
        return self.make(rng, first, self.lasts, pauses)


def _omits(share: float) -> Make:
    return lambda rng, first, lasts, pauses: Omits(rng, first, lasts, pauses, share)


def _order(how: str) -> Make:
    return lambda rng, first, lasts, pauses: Order(rng, first, lasts, pauses, how)


def _replica(*, by_page: bool) -> Make:
    return lambda rng, first, lasts, pauses: Replica(rng, first, lasts, pauses, by_page=by_page)


def _cursor(how: str) -> Make:
    return lambda rng, first, lasts, pauses: Cursors(rng, first, lasts, pauses, how, 0.15)


def _count(how: str) -> Make:
    return lambda rng, first, lasts, pauses: Count(rng, first, lasts, pauses, how)


def _spoils(how: str) -> Make:
    return lambda rng, first, lasts, pauses: Spoils(rng, first, lasts, pauses, how, 0.3)


KINDS: dict[str, Kind] = {
    "cap from the start": Kind("cap", Cap, AT_ONCE, ALWAYS),
    "cap in mid-life": Kind("cap", Cap, (2, 12), (6, 40), ALWAYS),
    "cap comes and goes": Kind("cap", Cap, (1, 5), (0.2, 6), (0.5, 6)),
    **{
        f"omits {share:.1%} of the rows": Kind("omission", _omits(share))
        for share in (0.002, 0.01, 0.03, 0.05)
    },
    "withholds the same rows": Kind("same rows", Withholds, (0, 3), DAYS),
    "hole of 5 to 50 rows": Kind("hole", Hole, (0, 3), DAYS),
    "block as it was": Kind("stale block", StaleBlock, (1, 4), DAYS),
    "replica, page by page": Kind("replica", _replica(by_page=True), (0.2, 3)),
    "replica, whole readings": Kind("replica", _replica(by_page=False), (0.2, 3)),
    "relevance on top": Kind("order", _order("relevance"), (0, 6)),
    "reversed for a day": Kind("order", _order("reversed"), (1, 6), (0.2, 1.2), (2, 8)),
    "random each time": Kind("disorder", _order("random each time"), (0, 6)),
    "fixed random order": Kind("disorder", _order("fixed random"), (0, 6)),
    "overlapping pages": Kind("disorder", Overlap),
    "fewer rows a page": Kind("disorder", FewerRows),
    "count frozen": Kind("count", _count("frozen")),
    "count rounded": Kind("count", _count("rounded")),
    "count with the deactivated": Kind("count", _count("with the deactivated")),
    "count without the deactivated": Kind("count", _count("without the deactivated")),
    "count missing": Kind("count", _count("missing"), (0, 0), LONG),
    "wild count": Kind("count", _spoils("wild count"), AT_ONCE, ALWAYS),
    "cursor refused": Kind("cursor", _cursor("refused")),
    "cursor skips a page": Kind("cursor", _cursor("skips")),
    "cursor gives a page twice": Kind("cursor", _cursor("repeats")),
    **{
        f"{how} 30 %": Kind("answers", _spoils(how), AT_ONCE, ALWAYS)
        for how in ("empty", "cut", "truncate", "error", "duplicate", "shuffle", "loop")
    },
}

EVENTS = ("purge", "giveaway", "crowds", "to and fro", "again at once")


@dataclass(frozen=True)
class Row:
    """`kinds`: faults upon every history; `pair`: two of KINDS by chance; `all`: all, rarely.
    `sizes`: of lists to choose from, empty: the usual mix."""

    name: str
    group: str
    kinds: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    pair: bool = False
    everything: bool = False
    kill: float = 0.0
    budget: bool = False

    @property
    def honest(self) -> bool:
        """Nothing is wrong with the list: delays are measured on such rows."""
        return self.group in ("nothing wrong", "true events")


def _rows() -> Iterator[Row]:
    yield Row("nothing wrong", "nothing wrong")
    yield Row("count late, off by one, or with the deactivated", "count")
    for name, kind in KINDS.items():
        yield Row(name, kind.group, (name,))
        if kind.group == "cap":
            yield Row(f"{name}, count rounded", "cap", (name, "count rounded"))
    yield Row("kills 10 %", "answers", kill=0.1)
    yield Row("budget of calls", "answers", budget=True)
    for name in EVENTS:
        yield Row(name, "true events", events=(name,), sizes=(40, 100, 200, 300, 300, 1000))
    yield Row("1 to 5 people", "true events", sizes=(1, 2, 3, 4, 5))
    yield Row("6 to 29 people", "true events", sizes=(6, 8, 10, 15, 20, 25, 29))
    yield Row("5,000 and 20,000 people", "true events", sizes=(5_000, 5_000, 20_000))
    for number in range(1, 4):
        yield Row(f"two together, {number}", "two together", pair=True)
    yield Row("all at once", "all at once", everything=True, kill=0.01)


ROWS: dict[str, Row] = {row.name: row for row in _rows()}
HISTORY_SYNCS = 120


@dataclass(frozen=True)
class Scenario:
    """One history. `syncs`: how many of them are faulty. `seconds_a_call`: between two calls, for
    limits of Instagram's stretch a reading to minutes or hours."""

    row: str
    seed: int
    size: int
    page_limit: int
    kinds: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    rare: bool = False
    kill: float = 0.0
    budget: int | None = None
    seconds_a_call: int = 1
    syncs: int = HISTORY_SYNCS
    honest: bool = field(default=False)


def scenario(row: Row, rng: Random, syncs: int = HISTORY_SYNCS) -> Scenario:
    """A history of a row, by chance."""
    kinds, events = row.kinds, row.events
    if row.pair:
        kinds = tuple(rng.sample(list(KINDS), 2))
        if rng.random() < 0.3:
            kinds, events = kinds[:1], (rng.choice(EVENTS),)
    if row.everything:
        kinds, events = tuple(KINDS), EVENTS
    if not row.honest and not events and rng.random() < 0.1:
        events = (rng.choice(EVENTS),)
    size = _size(row, rng)
    return Scenario(
        row.name,
        rng.randrange(1 << 40),
        size,
        rng.choice((20, 50, 100, 1000) if size < 5_000 else (100, 1000, 1000)),
        kinds,
        events,
        row.everything,
        row.kill,
        rng.randint(4, 8) if row.budget else None,
        rng.choice((1, 1, 1, 20, 300) if size < 5_000 else (1, 1, 20)),
        syncs,
        row.honest,
    )


def _size(row: Row, rng: Random) -> int:
    if row.sizes:
        return rng.choice(row.sizes)
    chance = rng.random()
    if chance < 0.004:
        return 20_000
    if chance < 0.012:
        return 5_000
    if chance < 0.05:
        return 1_000
    return rng.choice(SIZES)


def scenarios(only: str | None, syncs: int, seed: int) -> Iterator[Scenario]:
    """Histories in turn over the rows until there are enough faulty syncs."""
    rng = Random(seed)
    rows = [row for row in ROWS.values() if only is None or only in (row.name, row.group)]
    rows = rows or [row for row in ROWS.values() if only and only in row.name]
    if not rows:
        raise SystemExit(f"no row is called {only}: see --rows")
    for number in range(max(len(rows), -(-syncs // HISTORY_SYNCS))):
        yield scenario(rows[number % len(rows)], rng)
