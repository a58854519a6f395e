"""Cost of a full scan beyond fetching and parsing its pages, and of a quiet sync.

The pages are in memory, rendered as Instagram sends them, so that no network is measured. They pass
through the product's own scanner: gate, budget, domain, store and a commit every so many pages.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from bench import truth
from bench.ground import account, settle, sql, timed
from bench.population import Population
from bench.results import Results, WrongResult

PAGE = 1000
A_SCAN_IS_DUE = timedelta(days=8)
ALL_OF_IT_IS_DUE = timedelta(days=7)


class Prerendered:
    """A population as a list source: pages as bytes by cursor, parsed by our gateway."""

    lists = True
    page_limit = PAGE

    def __init__(self, population: Population) -> None:
        rows = list(population.rows())
        self._count = len(rows)
        self._limit = PAGE
        starts = range(0, len(rows), PAGE)
        self._pages = [_body(rows[start : start + PAGE], start + PAGE) for start in starts]
        self._pages[-1] = _body(rows[starts[-1] :], None)

    def __len__(self) -> int:
        return self._count

    def count(self) -> Any:
        from accounts.instagram.usage import UNKNOWN
        from followersync.sources.base import Count

        return Count(self._count, UNKNOWN)

    def page(self, *, after: str | None, limit: int) -> Any:
        from accounts.instagram.schemas import follower_page
        from accounts.instagram.usage import UNKNOWN

        if limit != PAGE:
            raise WrongResult(f"a quiet list is read by {PAGE} rows, not by {limit}")
        return follower_page(self._pages[int(after or 0) // PAGE], UNKNOWN)

    def read_all(self) -> None:
        """The baseline: fetch and parse every page, and do nothing."""
        after: str | None = None
        while (after := self.page(after=after, limit=PAGE).after) is not None:
            pass


def _body(rows: list[tuple[int, str]], after: int | None) -> bytes:
    page: dict[str, Any] = {"data": [{"id": str(key), "username": name} for key, name in rows]}
    if after is not None:
        page["paging"] = {"cursors": {"after": str(after)}, "next": f"https://graph/{after}"}
    return json.dumps(page).encode()


def measure(results: Results, n: int, runs: int) -> None:
    """First scans until the order is certain; then quiet scans and quiet syncs are timed."""
    population = Population(n)
    source = Prerendered(population)
    linked = account(kind="oauth")
    added, floors, calls = [], [], []
    with many_calls(), later() as wait:
        _settled(linked, source, wait)
        sql("VACUUM ANALYZE followersync_follower")
        for _ in range(runs):
            calls.append(float(_sync(linked, source)[1].calls))
            floors.append(timed(source.read_all))
            wait(A_SCAN_IS_DUE)
            settle()
            added.append((_scanned(linked, source, wait) - floors[-1]) * 1000 * 1000 / n)
            truth.check_list(linked, population, by_id=True)
    if truth.head_of(linked):
        raise WrongResult("the feed tells of changes where there were none")
    results.add("scan_added_ms_per_1000", n, added, "ms", floor=statistics.median(floors) * 1e6 / n)
    results.add("no_change_calls", n, calls, "calls")


def _settled(linked: Any, source: Prerendered, wait: Any) -> None:
    """The first list, and the scans that make its order certain."""
    from followersync.domain.engine import load
    from followersync.domain.state import ListOrder
    from followersync.models import SyncSettings

    for _ in range(40):
        _sync(linked, source)
        state = load(SyncSettings.objects.get(pk=linked.pk).memory)
        if state.memory.order is ListOrder.CONFIRMED and state.full_scan is None:
            return
        # A long list is scanned in slices, which fall due with time.
        wait(ALL_OF_IT_IS_DUE)
    raise WrongResult("the order of a quiet list never becomes certain")


def _scanned(linked: Any, source: Prerendered, wait: Any) -> float:
    """Seconds of one whole scan. A long list is read in slices, which fall due with time."""
    from followersync.models import FullScan

    done = FullScan.objects.filter(account=linked, closed_at__isnull=False).count()
    total, pages = 0.0, 0
    for _ in range(20):
        seconds, run = _sync(linked, source)
        total, pages = total + seconds, pages + run.pages
        if FullScan.objects.filter(account=linked, closed_at__isnull=False).count() > done:
            return total
        wait(ALL_OF_IT_IS_DUE)
    raise WrongResult("a full scan does not come to its end")


def _sync(linked: Any, source: Prerendered) -> tuple[float, Any]:
    """(seconds, the run): one run from its request to its end, by `sync.advance`."""
    from followersync.models import SyncRun
    from followersync.services.sync import lease
    from followersync.services.sync import runs as sync
    from followersync.services.sync.scanner import Scanner

    def work() -> None:
        run = sync.request_sync(account=linked, trigger="schedule")
        taken = lease.take(run.pk)
        if taken is None:
            raise WrongResult("the run is somebody else's")
        session = Scanner(taken, cast("Any", source))
        try:
            session.work(time.monotonic() + 3600)
        finally:
            session.close()

    seconds = timed(work)
    run = SyncRun.objects.filter(account=linked).latest("pk")
    if run.state != "succeeded":
        raise WrongResult(f"sync {run.state}: {run.error_code}")
    return seconds, run


@contextmanager
def later() -> Iterator[Any]:
    """`wait(time)` advances the clock, which still reads the database's."""
    from django.db import connection

    from accounts import clock

    ahead = timedelta()

    def now() -> datetime:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            moment: datetime = cursor.fetchone()[0]
        return moment + ahead

    def wait(time_passed: timedelta) -> None:
        nonlocal ahead
        ahead += time_passed

    clock.install(now)
    try:
        yield wait
    finally:
        clock.install(None)


@contextmanager
def many_calls() -> Iterator[None]:
    """Lift Instagram's hourly limit, which is not measured here."""
    from django.test import override_settings

    with override_settings(INSTAGRAM_CALLS_PER_HOUR=1_000_000):
        yield
