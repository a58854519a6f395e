"""Benchmark of members' and programs' reads, on a list with as many past as present follows.

Each week of a year a fifty-second of the list leaves, drawn at random, and as many follow. Server
time is PostgreSQL's EXPLAIN ANALYZE of every statement that the product's selector sends, with
planning. A response is measured whole, beside a bare Django view that sends the same main statement
and returns its rows as JSON.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from bench import truth
from bench.ground import account, sql
from bench.population import Population
from bench.results import Results, WrongResult

WEEKS = 52
BEGUN = datetime(2025, 1, 6, 12, tzinfo=UTC)
DATES = 20
TIMES = 5
CHUNK = 20_000
PAGE = 50


@dataclass(frozen=True, slots=True)
class Filled:
    """An account after a year of turnover, and the key of a current follower."""

    account: Any
    population: Population
    key: str


def measure(results: Results, n: int, runs: int) -> None:
    from bench import responses

    filled = fill(n)
    results.add("bytes_per_interval", n, [interval_bytes(n)], "bytes")
    sql("VACUUM ANALYZE")
    measure_reads(results, filled, n, runs)
    responses.measure(results, filled, n, runs)


def measure_reads(results: Results, filled: Filled, n: int, runs: int) -> None:
    """Of several reads (prefixes, dates) the slowest counts, by its own median."""
    for what, reads in _cases(filled).items():
        values = []
        for _ in range(runs):
            medians = [statistics.median(_server_ms(read) for _ in range(TIMES)) for read in reads]
            values.append(max(medians))
        results.add(what, n, values, "ms")


def fill(n: int) -> Filled:
    """A first list, then each week a fifty-second of it replaced, by the product's own writer."""
    from django.db import transaction

    from accounts import clock
    from followersync.domain.values import Added, AddedKind
    from followersync.models import SyncSettings
    from followersync.services.sync import feed
    from followersync.services.sync.feed import Changes

    def apply(changes: Changes) -> None:
        with transaction.atomic():
            feed.apply(linked.pk, changes)

    there = Population(2 * n)
    present, random = list(range(n)), Random(1)
    linked = account(kind="oauth")
    moment = BEGUN
    clock.install(lambda: moment)
    first, top = (1 << 61) + n * (1 << 16), 1 << 62

    def people(begin: int, end: int, kind: AddedKind) -> list[Added]:
        """Newest first, as a page shows them."""
        numbers = range(end - 1, begin - 1, -1) if kind is AddedKind.GAINED else range(begin, end)
        return [
            Added(
                there.ids[i],
                there.names[i],
                (first - i * (1 << 16)) if kind is AddedKind.BASELINE else top + i * (1 << 16),
                True,
                kind,
            )
            for i in numbers
        ]

    try:
        for begin in range(0, n, CHUNK):
            apply(Changes(added=people(begin, min(n, begin + CHUNK), AddedKind.BASELINE)))
        SyncSettings.objects.filter(pk=linked.pk).update(baseline_at=BEGUN, complete=True)
        for week in range(WEEKS):
            moment = BEGUN + timedelta(days=7 * week + 1)
            begin, end = n * week // WEEKS, n * (week + 1) // WEEKS
            random.shuffle(present)
            gone = [there.ids[i] for i in present[: end - begin]]
            present[: end - begin] = range(n + begin, n + end)
            apply(Changes(lost=gone, added=people(n + begin, n + end, AddedKind.GAINED)))
        _snapshots(linked, n)
    finally:
        clock.install(None)
    if sql("SELECT count(*) FROM followersync_follower WHERE account_id = %s", linked.pk) != n:
        raise WrongResult("the list is not as long as it was made")
    truth.check_books(linked)
    return Filled(linked, there, str(there.ids[present[n // 2]]))


def _snapshots(linked: Any, n: int) -> None:
    """Four a day for a year, as six-hourly syncs write them."""
    from followersync.models import FollowerSnapshot

    FollowerSnapshot.objects.bulk_create(
        FollowerSnapshot(
            account_id=linked.pk,
            at=BEGUN + timedelta(hours=6 * number),
            mode="head",
            position=number,
            followers=n,
            reported=n,
            gained=n // WEEKS // 28,
            lost=n // WEEKS // 28,
            complete=True,
            evidence={"pages": 2, "people": 1000, "absent": 0, "witnessed": 0},
        )
        for number in range(365 * 4)
    )


def interval_bytes(n: int) -> float:
    """Bytes of a closed interval with its indexes, after a year of turnover."""
    return float(sql("SELECT pg_total_relation_size('followersync_pastfollow')") / n)


def _cases(filled: Filled) -> dict[str, list[Callable[[], object]]]:
    from followersync import selectors
    from followersync.selectors.cursor import Cursor, encode

    linked = filled.account
    middle = sql(
        "SELECT place FROM followersync_follower WHERE account_id = %s"
        " ORDER BY place OFFSET %s LIMIT 1",
        linked.pk,
        len(filled.population) // 4,
    )
    deep = encode(Cursor(middle, 0, False, 0))
    span = timedelta(days=7 * WEEKS)
    days = [BEGUN + span * number / (DATES - 1) for number in range(DATES)]

    def past(at: datetime) -> Callable[[], object]:
        return lambda: selectors.followers_page(linked, at=at, limit=PAGE)

    return {
        "newest_page_ms": [lambda: selectors.followers_page(linked, limit=PAGE)],
        "deep_page_ms": [lambda: selectors.followers_page(linked, cursor=deep, limit=PAGE)],
        "history_ms": [lambda: selectors.follower_history(linked, filled.key)],
        "prefix_search_ms": [
            lambda: selectors.followers_page(linked, q="anna", limit=PAGE),
            lambda: selectors.followers_page(linked, q="zoe__", limit=PAGE),
            lambda: selectors.followers_page(linked, q="nobody.at.all", limit=PAGE),
        ],
        "as_of_page_ms": [past(day) for day in days],
        "series_ms": [
            lambda: selectors.growth(
                linked, date_from=BEGUN.date(), date_to=BEGUN.date() + timedelta(days=364)
            )
        ],
    }


def _server_ms(read: Callable[[], object]) -> float:
    """Milliseconds of PostgreSQL for all statements of a read."""
    with statements() as sent:
        read()
    return sum(explained(statement, values) for statement, values in sent)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Records the statements sent to the database."""
    from django.db import connection

    sent: list[tuple[str, Any]] = []

    def note(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:
        sent.append((statement, values))
        return execute(statement, values, many, context)

    with connection.execute_wrapper(note):
        yield sent


def explained(statement: str, values: Any) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", values)
        answer = cursor.fetchone()[0]
    (plan,) = json.loads(answer) if isinstance(answer, str) else answer
    return float(plan["Planning Time"] + plan["Execution Time"])


def last_day() -> date:
    return BEGUN.date() + timedelta(days=364)
