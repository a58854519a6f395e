from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.db import connection, connections

from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import consent, linking
from followersync import selectors
from followersync.models import ScanPage, SyncRun, SyncSettings
from followersync.services.sync import dispatcher, lease, runs, thread_pool
from followersync.sources.edge import EdgeSource
from tests.support.clock import Clock
from tests.support.outage import no_database
from tests.support.sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox
from tests.support.sync import assert_books_agree, connect, held, kinds, run_to_end, truth

ROOT = Path(__file__).resolve().parents[3]


class Killed(BaseException):
    """As sudden as kill -9: nothing of ours catches it."""


class After:
    """A watcher that does something after so many steps of a run."""

    def __init__(self, steps: int, action: Any) -> None:
        self.steps = steps
        self.action = action

    def __call__(self, _progress: dict[str, int | None]) -> None:
        self.steps -= 1
        if self.steps == 0:
            self.action()


def die() -> None:
    raise Killed


@pytest.fixture
def grace(
    sandbox: Sandbox, alice: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> LinkedAccount:
    """45 pages, of which every twenty are committed together."""
    monkeypatch.setattr(EdgeSource, "page_limit", 100)
    sandbox.persona("hopper.grace", followers=4_500)
    return connect(sandbox, alice, "hopper.grace")


@pytest.mark.parametrize("steps", [2, 21, 22, 30, 45, 47])
def test_a_run_killed_anywhere_goes_on_and_applies_nothing_twice(
    sandbox: Sandbox, grace: LinkedAccount, clock: Clock, steps: int
) -> None:
    run = runs.request_sync(account=grace, trigger="member")

    with pytest.raises(Killed):
        runs.advance(run.pk, watch=After(steps, die))
    clock.advance(minutes=3)
    assert dispatcher.enqueue_stuck() == 1
    run_to_end(grace)

    run.refresh_from_db()
    assert run.state == "succeeded"
    assert held(grace) == truth(sandbox, grace)
    assert kinds(grace) == {}
    assert not ScanPage.objects.exists()
    assert_books_agree(grace)


def test_what_was_committed_before_the_kill_is_not_read_again(
    sandbox: Sandbox, grace: LinkedAccount, clock: Clock
) -> None:
    run = runs.request_sync(account=grace, trigger="member")
    with pytest.raises(Killed):
        runs.advance(run.pk, watch=After(30, die))
    clock.advance(minutes=3)
    sandbox.clear_requests()

    run_to_end(grace)

    # 45 pages and the closing head; 20 pages stand, those since then are read again.
    assert sandbox.count("followers") <= 27


def test_while_one_worker_holds_a_run_another_does_nothing(
    sandbox: Sandbox, grace: LinkedAccount, clock: Clock
) -> None:
    run = runs.request_sync(account=grace, trigger="member")
    assert lease.take(run.pk) is not None
    sandbox.clear_requests()

    assert runs.advance(run.pk) is False
    assert sandbox.requests() == []


def test_a_worker_that_was_taken_for_dead_commits_nothing_more(
    sandbox: Sandbox, grace: LinkedAccount, clock: Clock
) -> None:
    run = runs.request_sync(account=grace, trigger="member")

    def take_over() -> None:
        clock.advance(minutes=3)
        run_to_end(grace)

    assert runs.advance(run.pk, watch=After(10, take_over)) is False

    run.refresh_from_db()
    assert run.state == "succeeded"
    assert held(grace) == truth(sandbox, grace)
    assert_books_agree(grace)


@pytest.mark.parametrize("stop", ["unlink", "pause", "withdraw"])
def test_leaving_in_the_middle_of_a_scan_stops_it_at_once(
    sandbox: Sandbox, grace: LinkedAccount, clock: Clock, stop: str
) -> None:
    owner = grace.owner
    actions = {
        "unlink": lambda: linking.unlink(account=grace, erase="now", channel="web", actor=owner),
        "pause": lambda: linking.pause(account=grace, actor=owner),
        "withdraw": lambda: consent.withdraw(
            account=grace, scope=Scope.FOLLOWERS, channel="web", actor=owner
        ),
    }
    run = runs.request_sync(account=grace, trigger="member")
    before: list[int] = []

    def leave() -> None:
        actions[stop]()
        before.append(len(held(grace)))
        sandbox.clear_requests()

    runs.advance(run.pk, watch=After(30, leave))

    run.refresh_from_db()
    assert run.state == "cancelled"
    assert sandbox.count("followers") == 0
    # The uncommitted pages are discarded: nothing was stored after leaving.
    assert len(held(grace)) == before[0] == 2_000


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_read_each_page_once(
    sandbox: Sandbox, alice: User, edge: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EdgeSource, "page_limit", 100)
    sandbox.persona("turing", followers=3_000)
    account = connect(sandbox, alice, "turing")
    run = runs.request_sync(account=account, trigger="member")
    sandbox.clear_requests()

    def work() -> None:
        runs.advance(run.pk)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    run.refresh_from_db()
    assert run.state == "succeeded"
    assert sandbox.count("followers") == run.pages == 31
    assert held(account) == truth(sandbox, account)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_middle_of_100_000_followers_loses_and_repeats_nothing(
    sandbox: Sandbox, alice: User, edge: None
) -> None:
    sandbox.persona("big", followers=100_000)
    account = connect(sandbox, alice, "big")
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "sync", str(account.pk)],
        cwd=ROOT,
        env=environment(sandbox),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: len(ScanPage.objects.values_list("number")) >= 20)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    stored = ScanPage.objects.count()
    run = SyncRun.objects.get(account=account)
    assert run.state == "running"
    assert 20 <= stored < 100
    sandbox.clear_requests()
    # As if the lease had run out; the dispatcher finds it by that.
    SyncRun.objects.update(heartbeat_at=run.created_at - lease.LEASE * 2)

    run_to_end(account)

    run.refresh_from_db()
    assert run.state == "succeeded"
    assert sandbox.count("followers") <= 102 - stored
    assert held(account) == truth(sandbox, account)
    assert SyncSettings.objects.get(pk=account.pk).head == 0
    assert selectors.overview(account).complete
    assert_books_agree(account)


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.01)


def environment(sandbox: Sandbox) -> dict[str, str]:
    """What a worker process needs to work for this test."""
    parameters = connection.get_connection_params()
    host, port = parameters.get("host", ""), parameters.get("port", "")
    user, password = parameters.get("user", ""), parameters.get("password", "")
    query = f"?host={host}&port={port}" if port else f"?host={host}"
    return os.environ | {
        "DATABASE_URL": f"postgresql://{user}:{password}@/{parameters['dbname']}{query}",
        "INSTAGRAM_OAUTH_URL": sandbox.base_url,
        "INSTAGRAM_API_URL": sandbox.base_url,
        "INSTAGRAM_GRAPH_URL": sandbox.base_url,
        "INSTAGRAM_FOLLOWERS_EDGE": "followers",
        "INSTAGRAM_CLIENT_ID": CLIENT_ID,
        "INSTAGRAM_CLIENT_SECRET": CLIENT_SECRET,
        "SECRET_KEY": site.SECRET_KEY,
    }


def end_my_connection() -> None:
    """What a restart of the database does to a worker in the middle of its work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
        connections.close_all()

    other = threading.Thread(target=end)
    other.start()
    other.join(10)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("steps", [1, 5, 9])
def test_a_restart_of_the_database_in_the_middle_of_a_scan_is_no_fault_of_ours(
    sandbox: Sandbox, alice: User, steps: int
) -> None:
    """The run goes on where it was at once; it used to be told as failed."""
    sandbox.persona("hopper.grace", followers=8_000)
    account = connect(sandbox, alice, "hopper.grace")
    run = runs.request_sync(account=account, trigger="member")

    assert runs.advance(run.pk, watch=After(steps, end_my_connection)) is True

    run_to_end(account)
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("succeeded", "")
    assert held(account) == truth(sandbox, account)
    assert_books_agree(account)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_while_a_worker_was_at_leisure_costs_no_run_its_turn(
    sandbox: Sandbox, alice: User
) -> None:
    """The task was ended as a bug's, and the run waited two minutes for the next one."""
    sandbox.persona("hopper.grace", followers=50)
    account = connect(sandbox, alice, "hopper.grace")
    run = runs.request_sync(account=account, trigger="member")
    end_my_connection()

    assert thread_pool._advance(run.pk) is False

    run.refresh_from_db()
    assert run.state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_stays_away_is_told_in_a_line_and_frees_the_worker(
    sandbox: Sandbox, alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.persona("hopper.grace", followers=50)
    account = connect(sandbox, alice, "hopper.grace")
    run = runs.request_sync(account=account, trigger="member")
    monkeypatch.setattr(lease, "TAKE_SECONDS", 0.0)

    with no_database():
        assert thread_pool._advance(run.pk) is False

    told = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [(each.levelname, each.exc_info) for each in told] == [("WARNING", None)]
    run.refresh_from_db()
    assert run.state == "queued"
