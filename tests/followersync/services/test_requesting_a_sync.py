from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone
from django_q.models import OrmQ

from accounts.errors import Conflict, ConsentMissing
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import consent, linking
from followersync.errors import SyncRunning
from followersync.models import SyncRun
from followersync.services.imports import requests
from followersync.services.sync import runs
from tests.support.factories import consent as allow
from tests.support.sync import linked, without_runs


def test_asking_opens_one_run_and_rings_the_queue(
    followed: LinkedAccount, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = runs.request_sync(account=followed, trigger="member")

    assert (run.state, run.trigger) == ("queued", "member")
    assert OrmQ.objects.count() == 1


def test_asking_twice_names_the_run_that_is_open_and_opens_no_second(
    followed: LinkedAccount,
) -> None:
    first = runs.request_sync(account=followed, trigger="member")

    with pytest.raises(SyncRunning) as refused:
        runs.request_sync(account=followed, trigger="member")

    assert refused.value.run == first
    assert SyncRun.objects.count() == 1


def waiting(account: LinkedAccount, code: str) -> SyncRun:
    run = runs.request_sync(account=account, trigger="member")
    later = timezone.now() + timedelta(hours=1)
    SyncRun.objects.filter(pk=run.pk).update(state="waiting", not_before=later, error_code=code)
    return run


def test_asking_while_a_run_pauses_after_a_passing_fault_lets_it_go_on_now(
    followed: LinkedAccount, django_capture_on_commit_callbacks
) -> None:
    paused = waiting(followed, "retry_later")

    with django_capture_on_commit_callbacks(execute=True):
        run = runs.request_sync(account=followed, trigger="program")

    assert (run.pk, run.state, run.not_before) == (paused.pk, "queued", None)
    assert OrmQ.objects.count() == 1


def test_asking_does_not_shorten_a_wait_that_instagram_set(followed: LinkedAccount) -> None:
    waiting(followed, "wait_until")

    with pytest.raises(SyncRunning) as refused:
        runs.request_sync(account=followed, trigger="member")

    assert refused.value.run.state == "waiting"


def test_a_paused_account_is_not_synced(followed: LinkedAccount) -> None:
    linking.pause(account=followed, actor=followed.owner)

    with pytest.raises(Conflict):
        runs.request_sync(account=followed, trigger="member")

    assert not SyncRun.objects.exists()


def test_nothing_is_synced_without_consent(followed: LinkedAccount) -> None:
    consent.withdraw(account=followed, scope=Scope.FOLLOWERS, channel="web", actor=followed.owner)

    with pytest.raises(ConsentMissing):
        runs.request_sync(account=followed, trigger="member")


def test_an_account_known_by_archives_alone_says_so(alice: User, edge: None) -> None:
    account = without_runs(linked(alice, kind="archive"))

    with pytest.raises(Conflict) as refused:
        runs.request_sync(account=account, trigger="member")

    assert refused.value.code == "no_list_source"


@pytest.mark.parametrize("stop", ["pause", "unlink", "withdraw", "reconnect"])
def test_whatever_stops_an_account_cancels_its_open_run_at_once(
    followed: LinkedAccount, stop: str
) -> None:
    run = runs.request_sync(account=followed, trigger="member")

    match stop:
        case "pause":
            linking.pause(account=followed, actor=followed.owner)
        case "unlink":
            linking.unlink(account=followed, erase="now", channel="web", actor=followed.owner)
        case "withdraw":
            consent.withdraw(
                account=followed, scope=Scope.FOLLOWERS, channel="web", actor=followed.owner
            )
        case "reconnect":
            linking.mark_needs_reconnect(account=followed, reason="expired")

    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not runs.advance(run.pk)


def test_consent_starts_the_first_sync_by_itself(alice: User, edge: None) -> None:
    account = linked(alice)

    assert SyncRun.objects.get().account == account


def test_resuming_starts_a_sync(followed: LinkedAccount) -> None:
    linking.pause(account=followed, actor=followed.owner)

    linking.resume(account=followed, actor=followed.owner)

    assert SyncRun.objects.get().state == "queued"


def test_the_first_run_says_that_it_came_of_linking_and_a_later_yes_of_the_member(
    alice: User, edge: None
) -> None:
    account = linked(alice)
    first = SyncRun.objects.get()
    consent.withdraw(
        account=account, scope=Scope.FOLLOWERS, channel="web", actor=alice, keep_data=True
    )

    allow(account, Scope.FOLLOWERS)

    assert first.trigger == "link"
    assert SyncRun.objects.latest("pk").trigger == "member"


@contextmanager
def ending_as_it_is_met(run: SyncRun) -> Iterator[None]:
    """Another worker ends the run just after the database has refused a second one beside it."""

    def end() -> None:
        SyncRun.objects.filter(pk=run.pk).update(state="succeeded", finished_at=timezone.now())
        connection.close()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        except IntegrityError:
            worker = Thread(target=end)
            worker.start()
            worker.join(10)
            raise

    with connection.execute_wrapper(watch):
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ask", ["sync", "import"])
def test_asking_at_the_very_moment_at_which_the_open_run_ends_opens_the_next(
    alice: User, edge: None, tmp_path: Path, settings: Any, ask: str
) -> None:
    """Else whoever pressed the button would see that something went wrong."""
    settings.THREADSITE_HOME = tmp_path
    account = linked(alice)
    open_run = SyncRun.objects.get()

    with ending_as_it_is_met(open_run):
        if ask == "sync":
            run = runs.request_sync(account=account, trigger="member")
        else:
            run = requests._open_run(account)

    assert run.pk != open_run.pk
    assert run.state == "queued"
