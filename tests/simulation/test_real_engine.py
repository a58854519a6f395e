"""The simulation's in-memory store says what the real engine over PostgreSQL says, sync by sync.

If these failed, a simulation without a false loss would say nothing about the product.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from accounts.models import LinkedAccount, User
from followersync.models import Absence, FollowerChange, SyncRun, SyncSettings
from followersync.sources.edge import EdgeSource
from tests.simulation import Refused, Transient
from tests.simulation.account import Account
from tests.simulation.history import START, History
from tests.simulation.instagram import Instagram
from tests.simulation.rows import ROWS, Scenario, scenario
from tests.support.clock import Clock
from tests.support.sync import held, linked, run_to_end, without_runs

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

REFUSED = {"message": "(#100) Invalid cursor", "type": "OAuthException", "code": 100}
TRANSIENT = {"message": "Retry later", "type": "OAuthException", "code": 2, "is_transient": True}


class Served(BaseHTTPRequestHandler):
    """Answers `/me` and the list edge from a simulated Instagram at the time `now`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, each answer waits for an acknowledgement
    instagram: ClassVar[Instagram]
    now: ClassVar[int] = START

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        try:
            status, document = 200, self._document(address.path, asked)
        except Refused:
            status, document = 400, {"error": REFUSED}
        except Transient:
            status, document = 500, {"error": TRANSIENT}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _document(self, path: str, asked: dict[str, str]) -> dict[str, Any]:
        if path.endswith("/me"):
            count = self.instagram.count(self.now)
            person = {"id": "17841400000000001", "user_id": "17841400000000001"}
            return {**person, "username": "simulated", "followers_count": count}
        page = self.instagram.page(self.now, asked.get("after"), int(asked["limit"]))
        document: dict[str, Any] = {
            "data": [{"id": str(key), "username": name} for key, name in page.rows]
        }
        if page.after is not None:
            document["paging"] = {"cursors": {"after": page.after}, "next": "https://next.invalid"}
        return document

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def served(settings: Settings) -> Iterator[type[Served]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.INSTAGRAM_GRAPH_URL = f"http://127.0.0.1:{server.server_port}"
    settings.INSTAGRAM_FOLLOWERS_EDGE = "followers"
    settings.INSTAGRAM_CALLS_PER_HOUR = 1_000_000
    yield Served
    server.shutdown()
    server.server_close()


@pytest.fixture
def account(alice: User, served: type[Served]) -> LinkedAccount:
    return without_runs(linked(alice, username="simulated"))


def settings_to_compare() -> Iterator[Scenario]:
    rng = Random(20_261_125)
    for name in (
        "nothing wrong",
        "cap in mid-life",
        "omits 3.0% of the rows",
        "withholds the same rows",
        "hole of 5 to 50 rows",
        "block as it was",
        "replica, page by page",
        "replica, whole readings",
        "relevance on top",
        "reversed for a day",
        "random each time",
        "overlapping pages",
        "fewer rows a page",
        "count rounded",
        "count missing",
        "cursor refused",
        "cursor skips a page",
        "cursor gives a page twice",
        "empty 30 %",
        "cut 30 %",
        "error 30 %",
        "duplicate 30 %",
        "shuffle 30 %",
        "purge",
        "giveaway",
        "1 to 5 people",
        "all at once",
    ):
        given = scenario(ROWS[name], rng, syncs=32)
        yield Scenario(
            name,
            given.seed,
            min(given.size, 120),
            rng.choice((20, 50, 1000)),
            given.kinds,
            given.events,
            given.rare,
            syncs=given.syncs,
        )


def kinds_after(account: LinkedAccount, position: int) -> tuple[Counter[tuple[str, int]], int]:
    """What the feed tells after a position, and its new end."""
    changes = FollowerChange.objects.filter(account_id=account.pk, position__gt=position)
    told = list(changes.order_by("position").values_list("kind", "key", "position"))
    return Counter((kind, key) for kind, key, _ in told), told[-1][2] if told else position


@pytest.mark.parametrize("given", list(settings_to_compare()), ids=lambda given: given.row)
def test_the_store_in_memory_and_the_real_engine_say_the_same_after_every_sync(
    given: Scenario,
    account: LinkedAccount,
    served: type[Served],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EdgeSource, "page_limit", given.page_limit)
    simulated, real = History(given), History(given)
    served.instagram = real.instagram
    memory = Account(simulated.instagram, given.page_limit, seconds_a_call=0)
    now, position = int(clock.moment.timestamp()), 0
    shift = now - START

    for number in range(given.syncs):
        served.now = at = now - shift
        simulated.instagram.begin_sync(at)
        real.instagram.begin_sync(at)
        clock.moment = datetime.fromtimestamp(now, UTC)
        report = memory.sync(at)
        run = run_to_end(account)

        told, position = kinds_after(account, position)
        expected = Counter(
            (kind, key)
            for kind in ("gained", "found", "lost", "returned", "renamed")
            for key in getattr(report, kind)
        )
        where = f"sync {number}"
        assert told == expected, where
        assert held(account) == set(memory.held.items()), where
        missing = Absence.objects.filter(account_id=account.pk).values_list("key", flat=True)
        assert set(missing) == set(memory.unconfirmed), where
        assert SyncSettings.objects.get(pk=account.pk).complete == memory.complete, where
        assert (run.state == SyncRun.State.SUCCEEDED) != report.failed, where
        assert simulated.instagram.calls == real.instagram.calls, where
        now = _next(memory, run, shift)


def _next(memory: Account, run: SyncRun, shift: int) -> int:
    """When both may go on: the real run that waits is not taken up before its time."""
    due = memory.next_due + shift
    if run.not_before is not None and run.state == SyncRun.State.WAITING:
        due = max(due, int((run.not_before + timedelta(seconds=1)).timestamp()))
    return due
