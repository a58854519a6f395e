"""`python -m bench.pages`: members' pages a second, beside a bare Django view.

The bare view reads session and member of a new project. Both sites are served with the product's
gunicorn settings and requested by the same client in turn. The result is the ratio: how many bare
answers one page costs, in processor time of web and database, so that other load on the machine
does not count. Answers a second are printed beside it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench import ground, site
from bench.closed_loop import per_second
from bench.results import FILE, Results, WrongResult
from threadsite import embedded, environment

FOLLOWERS = 1_000
SECONDS = 8.0
SLICES = 8
DAYS = 365
INSIGHT_DAYS = 60
BARE = f"http://127.0.0.1:{ground.PORT + 2}"
RUNS = 3


def main() -> None:
    """Measure, print the table, write results.json."""
    parser = argparse.ArgumentParser(prog="bench.pages", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=FILE)
    chosen = parser.parse_args()
    results = Results(chosen.out)
    with ground.prepared():
        measure(results, FOLLOWERS, chosen.runs)
        results.write()


def measure(results: Results, n: int, runs: int) -> None:
    """`n`: followers in the list. Medians of `runs`, each page between two bare answers."""
    n = min(n, FOLLOWERS)
    linked = filled(n)
    headers = {"Cookie": f"sessionid={signed_in(linked.owner)}"}
    stranger = {"Cookie": f"sessionid={_bare_session()}"}
    base = f"/accounts/{linked.pk}"
    pages = {
        "overview_page_over_bare_view": f"{base}/",
        "followers_page_over_bare_view": f"{base}/followers/",
        "changes_page_over_bare_view": f"{base}/changes/",
        "accounts_page_over_bare_view": "/accounts/",
    }
    with _both_sites() as (ours, theirs):
        for what, path in pages.items():
            ratios, floors = [], []
            for _ in range(runs):
                page, bare = _in_turn(
                    _Asked(ground.SITE, path, headers, ours),
                    _Asked(BARE, "/member/", stranger, theirs),
                )
                ratios.append(page.processor / bare.processor)
                floors.append(bare.processor)
                print(f"#   {what}: {page}; bare {bare}", flush=True)
            results.add(what, n, ratios, "ratio", floor=statistics.median(floors))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A URL, and its web server."""

    site: str
    path: str
    headers: dict[str, str]
    server: psutil.Process


@dataclass(slots=True)
class _Cost:
    """Averages of one answer; `processor`: seconds of web and database."""

    per_second: float
    processor: float

    def __str__(self) -> str:
        return f"{self.per_second:.0f} a second, {1000 * self.processor:.2f} ms of processor"


def _in_turn(*asked: _Asked) -> list[_Cost]:
    """Alternate in slices, so that all have the same conditions."""
    slices = [[_cost(each) for each in asked] for _ in range(SLICES)]
    return [
        _Cost(
            statistics.mean(each.per_second for each in column),
            statistics.median(each.processor for each in column),
        )
        for column in zip(*slices, strict=True)
    ]


def _cost(asked: _Asked) -> _Cost:
    begun, seconds = _processor(asked.server), SECONDS / SLICES
    rate = per_second(asked.site, asked.path, asked.headers, seconds)
    return _Cost(rate, (_processor(asked.server) - begun) / (rate * seconds))


def _processor(server: psutil.Process) -> float:
    """Processor seconds of web server and database so far, with ended processes."""
    database = embedded.find(environment.home() / "postgres")
    if database is None:
        raise WrongResult("the database does not run")
    spent = 0.0
    for root in (server, database.process):
        for each in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                spent += times.user + times.system + times.children_user + times.children_system
    return spent


def _bare_session() -> str:
    command = [sys.executable, "-m", "bench.bare"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def _both_sites() -> Iterator[tuple[psutil.Process, psutil.Process]]:
    command = site.gunicorn(ground.PORT + 2, "bench.bare")
    with site.web() as ours, site.process("bare", command) as theirs:
        site.wait_for(f"{BARE}/member/")
        yield psutil.Process(ours.pid), psutil.Process(theirs.pid)


def signed_in(member: Any) -> str:
    """The session cookie of a new session of this member."""
    from types import SimpleNamespace

    from allauth.account.internal.flows.login import record_authentication
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from accounts.sessions import SessionStore, signed

    session = SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    record_authentication(SimpleNamespace(session=session), member, "password")
    session.save()
    return signed(str(session.session_key))


def filled(n: int) -> Any:
    """An account with a list of n, a year of snapshots and changes, and two months of insights."""
    from django.db import transaction

    from accounts import clock
    from accounts.scopes import Scope
    from bench.population import Population
    from followersync.domain.values import Added, AddedKind
    from followersync.models import SyncSettings
    from followersync.services.sync import feed
    from followersync.services.sync.feed import Changes

    linked = ground.account(kind="oauth")
    for scope in (Scope.PROFILE, Scope.INSIGHTS):
        ground.allow(linked, scope)
    there = Population(n + DAYS)
    top = 1 << 62
    begun = clock.now() - timedelta(days=DAYS)

    def people(begin: int, end: int, kind: AddedKind) -> list[Added]:
        return [
            Added(there.ids[i], there.names[i], top + i * (1 << 16), True, kind)
            for i in range(begin, end)
        ]

    try:
        for day in range(DAYS + 1):
            moment = begun + timedelta(days=day)
            clock.install(partial(_same, moment))
            first = day == 0
            with transaction.atomic():
                feed.apply(
                    linked.pk,
                    Changes(added=people(0, n, AddedKind.BASELINE))
                    if first
                    else Changes(
                        lost=[there.ids[day - 1]],
                        added=people(n + day - 1, n + day, AddedKind.GAINED),
                    ),
                )
    finally:
        clock.install(None)
    now = clock.now()
    SyncSettings.objects.filter(pk=linked.pk).update(
        baseline_at=begun,
        complete=True,
        reported=n,
        last_synced_at=now,
        next_due_at=now + timedelta(hours=6),
    )
    _looks(linked, n, begun)
    _insights(linked, n, now)
    ground.sql("ANALYZE")
    return linked


def _same(moment: datetime) -> datetime:
    return moment


def _looks(linked: Any, n: int, begun: Any) -> None:
    """Four snapshots a day, as six-hourly syncs write them, and the runs of the last month."""
    from followersync.models import FollowerSnapshot, SyncRun

    FollowerSnapshot.objects.bulk_create(
        FollowerSnapshot(
            account_id=linked.pk,
            at=begun + timedelta(hours=6 * number),
            mode="head",
            position=number,
            followers=n + number % 50,
            reported=n + number % 60,
            gained=1,
            lost=1,
            complete=True,
            evidence={"pages": 2, "people": 1000, "absent": 0, "witnessed": 0},
        )
        for number in range(4 * DAYS)
    )
    SyncRun.objects.bulk_create(
        SyncRun(
            account_id=linked.pk,
            trigger="schedule",
            state="succeeded",
            created_at=begun + timedelta(hours=6 * number),
            finished_at=begun + timedelta(hours=6 * number),
        )
        for number in range(4 * (DAYS - 30), 4 * DAYS)
    )


def _insights(linked: Any, n: int, now: Any) -> None:
    from followersync.models import DailyTotal, Demographics

    DailyTotal.objects.bulk_create(
        DailyTotal(
            account_id=linked.pk,
            day=(now - timedelta(days=days)).date(),
            gained=days % 7,
            lost=days % 3,
            followers=n,
            read_at=now,
        )
        for days in range(INSIGHT_DAYS)
    )
    Demographics.objects.bulk_create(
        Demographics(
            account_id=linked.pk,
            breakdown=name,
            values=[[[f"{name} {number}"], n - number] for number in range(20)],
            read_at=now,
        )
        for name in ("age,gender", "country", "city")
    )


if __name__ == "__main__":
    main()
