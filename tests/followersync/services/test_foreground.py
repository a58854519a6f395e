"""Operators are told what came of their command, also when a queue that runs beside was quicker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models.signals import post_save
from django.utils import timezone

from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from followersync import tasks
from followersync.models import Follower, SyncRun
from followersync.services.imports import requests
from followersync.services.sync import lease, runs
from tests.support.exports import Export, population
from tests.support.factories import LinkedAccountFactory, consent
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, held, truth

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = "connections/followers_and_following"
#: Longer than the command needs to find the run taken.
SLOW_SECONDS = 0.8


@pytest.fixture
def kept(alice: User, tmp_path: Path, settings: Any) -> LinkedAccount:
    """Kept by archives alone."""
    settings.THREADSITE_HOME = tmp_path
    account: LinkedAccount = LinkedAccountFactory(
        owner=alice, kind="archive", username="alice.there"
    )
    consent(account, Scope.PROFILE, Scope.FOLLOWERS)
    return account


@pytest.fixture
def ada(sandbox: Sandbox, alice: User, tmp_path: Path, settings: Any) -> LinkedAccount:
    """Read from Instagram."""
    settings.THREADSITE_HOME = tmp_path
    sandbox.persona("lovelace", followers=120)
    return connect(sandbox, alice, "lovelace")


class Worker:
    """Another worker, in a thread with a connection of its own: it takes a run, and is slow."""

    def __init__(self) -> None:
        self.taken = threading.Event()
        self.threads: list[threading.Thread] = []

    def take(self, run_id: int) -> None:
        """Returns once the worker has the run."""
        thread = threading.Thread(target=self._work, args=[run_id])
        self.threads.append(thread)
        thread.start()
        assert self.taken.wait(10)

    def _work(self, run_id: int) -> None:
        try:
            claim = lease.take(run_id)
            assert claim is not None
            self.taken.set()
            time.sleep(SLOW_SECONDS)
            lease.release(claim)
            tasks.advance_run(run_id)
        finally:
            connection.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    for thread in made.threads:
        thread.join(30)


@contextmanager
def quicker(worker: Worker) -> Iterator[None]:
    """The worker takes the next run as soon as it is committed, before whoever opened it can."""

    def opened(instance: SyncRun, created: bool, **_more: object) -> None:
        if created and not worker.taken.is_set():
            transaction.on_commit(lambda: worker.take(instance.pk))

    post_save.connect(opened, sender=SyncRun)
    try:
        yield
    finally:
        post_save.disconnect(opened, sender=SyncRun)


def run_command(name: str, *arguments: object) -> str:
    out = StringIO()
    call_command(name, *map(str, arguments), stdout=out)
    return out.getvalue()


def opened_import(account: LinkedAccount, path: Path) -> SyncRun:
    with path.open("rb") as file:
        return requests.request_import(account=account, uploaded_file=file, channel="staff")


def test_an_import_that_another_worker_took_is_told_as_it_ended(
    kept: LinkedAccount, worker: Worker, tmp_path: Path
) -> None:
    path = Export(population(30)).write_zip(tmp_path)

    with quicker(worker):
        said = run_command("import_followers", kept.pk, path)

    assert worker.taken.is_set()
    assert "30 people were read." in said
    assert SyncRun.objects.get().state == "succeeded"


def test_an_import_that_failed_at_another_worker_fails_in_words(
    kept: LinkedAccount, worker: Worker, tmp_path: Path
) -> None:
    damaged = Export(population(5), extra={f"{PARTS}/followers_2.json": b"[{"})
    path = damaged.write_zip(tmp_path)

    with quicker(worker), pytest.raises(CommandError, match=r"damaged.*Nothing in your list"):
        run_command("import_followers", kept.pk, path)

    assert not Follower.objects.exists()


def test_an_import_waits_for_the_one_before_it(
    kept: LinkedAccount, worker: Worker, tmp_path: Path
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first = Export(population(30)).write_zip(tmp_path / "first")
    second = Export(population(32)).write_zip(tmp_path / "second")
    worker.take(opened_import(kept, first).pk)

    said = run_command("import_followers", kept.pk, second)

    assert "32 people were read." in said
    assert [run.state for run in SyncRun.objects.all()] == ["succeeded", "succeeded"]
    assert Follower.objects.count() == 32


def test_an_import_does_the_sync_that_nobody_works_on_and_then_itself(
    ada: LinkedAccount, sandbox: Sandbox, tmp_path: Path
) -> None:
    runs.request_sync(account=ada, trigger="member")
    path = Export(population(3), owner=ada.username).write_zip(tmp_path)

    said = run_command("import_followers", ada.pk, path)

    assert "3 people were read." in said
    assert [run.state for run in SyncRun.objects.order_by("pk")] == ["succeeded", "succeeded"]


def test_a_sync_that_another_worker_took_is_told_as_it_ended(
    ada: LinkedAccount, sandbox: Sandbox, worker: Worker
) -> None:
    with quicker(worker):
        said = run_command("sync", ada.pk)

    assert worker.taken.is_set()
    assert "120 followers, 0 gained, 0 lost, 0 unconfirmed" in said
    assert held(ada) == truth(sandbox, ada)


def test_a_sync_waits_for_an_import_and_is_then_a_sync(
    ada: LinkedAccount, sandbox: Sandbox, worker: Worker, tmp_path: Path
) -> None:
    run_command("sync", ada.pk)
    path = Export(population(3), owner=ada.username).write_zip(tmp_path)
    worker.take(opened_import(ada, path).pk)

    said = run_command("sync", ada.pk)

    assert "calls" in said
    newest = SyncRun.objects.latest("pk")
    assert (newest.mode == "import", newest.state) == (False, "succeeded")


def test_whoever_is_missed_is_told_as_unconfirmed(ada: LinkedAccount, sandbox: Sandbox) -> None:
    run_command("sync", ada.pk)
    run_command("sync", ada.pk)
    sandbox.change(ada.instagram_id or "", leave=2)

    said = run_command("sync", ada.pk)

    assert "0 lost, 2 unconfirmed" in said


def failed(sandbox: Sandbox, account: LinkedAccount) -> None:
    sandbox.script([{"error": "190_463_expired"}] * 4, account=account.instagram_id)


def stopped(sandbox: Sandbox, account: LinkedAccount) -> None:
    def cancel(instance: SyncRun, created: bool, **_more: object) -> None:
        if created:
            lease.cancel_open(account)
            post_save.disconnect(cancel, sender=SyncRun)

    post_save.connect(cancel, sender=SyncRun, weak=False)


def limited(sandbox: Sandbox, account: LinkedAccount) -> None:
    sandbox.script([{"error": "80002_instagram_buc"}] * 4, account=account.instagram_id)


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (failed, r"The sync failed: The connection to Instagram has ended"),
        (stopped, r"The sync was cancelled\. Somebody stopped it"),
        (limited, r"limit for this account is used up.*Not before \d\d:\d\d UTC"),
    ],
)
def test_a_sync_that_did_not_succeed_ends_with_an_error_in_words(
    ada: LinkedAccount,
    sandbox: Sandbox,
    happens: Callable[[Sandbox, LinkedAccount], None],
    told: str,
) -> None:
    happens(sandbox, ada)

    with pytest.raises(CommandError, match=told):
        run_command("sync", ada.pk)


def test_an_import_behind_a_sync_that_waits_for_long_says_so(
    ada: LinkedAccount, tmp_path: Path
) -> None:
    run = runs.request_sync(account=ada, trigger="member")
    until = timezone.now() + timedelta(hours=1)
    SyncRun.objects.filter(pk=run.pk).update(
        state="waiting", not_before=until, error_code="wait_until"
    )
    path = Export(population(3), owner=ada.username).write_zip(tmp_path)

    with pytest.raises(CommandError, match=rf"Another run.*{until:%H:%M} UTC"):
        run_command("import_followers", ada.pk, path)

    assert not Follower.objects.exists()
