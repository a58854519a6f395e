from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import signals
from accounts.models import LinkedAccount, User
from followersync.models import FullScan, SyncRun, SyncSettings
from followersync.services.sync import runs as sync
from followersync.sources.edge import EdgeSource
from tests.support.clock import Clock
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, held, kinds, run_to_end, sync_when_due, truth


@pytest.fixture
def ada(sandbox: Sandbox, alice: User, clock: Clock) -> LinkedAccount:
    """Two finished syncs lie behind; the next one meets the error."""
    sandbox.persona("lovelace", followers=120)
    account = connect(sandbox, alice, "lovelace")
    sync_when_due(account, clock, syncs=2)
    return account


def meet(sandbox: Sandbox, account: LinkedAccount, **answer: object) -> None:
    sandbox.script([answer], account=account.instagram_id, route="followers")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("190_463_expired", "expired"),
        ("190_467_invalid", "session_invalid"),
        ("190_no_subcode_expired", "token_invalid"),
    ],
)
def test_a_dead_token_asks_for_reconnection_and_keeps_the_list(
    sandbox: Sandbox, ada: LinkedAccount, error: str, reason: str
) -> None:
    meet(sandbox, ada, error=error)

    run = run_to_end(ada)

    ada.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "needs_reconnect")
    assert (ada.state, ada.reconnect_reason) == ("needs_reconnect", reason)
    assert len(held(ada)) == 120
    assert SyncSettings.objects.get(pk=ada.pk).next_due_at is None


def test_an_app_removed_at_instagram_unlinks_here(sandbox: Sandbox, ada: LinkedAccount) -> None:
    meet(sandbox, ada, error="190_458_app_removed")

    run = run_to_end(ada)

    ada.refresh_from_db()
    assert run.state == "failed"
    assert ada.state == "unlinked"


def test_a_limit_frees_the_worker_until_instagram_answers_again(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    meet(sandbox, ada, error="80002_instagram_buc")

    run = run_to_end(ada)
    assert run.state == "waiting"
    assert run.worker is None
    assert run.not_before is not None
    assert run.not_before > clock()
    sandbox.clear_requests()
    assert run_to_end(ada).state == "waiting"
    assert sandbox.requests() == []

    clock.moment = run.not_before
    assert run_to_end(ada).state == "succeeded"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "2_transient"},
        {"error": "1_unknown"},
        {"fault": "http_500"},
        {"fault": "truncated_json"},
        {"fault": "dropped"},
    ],
)
def test_a_passing_fault_is_waited_out_and_disconnects_nobody(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock, answer: dict[str, str]
) -> None:
    meet(sandbox, ada, **answer)

    run = run_to_end(ada)
    assert (run.state, run.error_code) == ("waiting", "retry_later")
    clock.advance(hours=1)

    run = run_to_end(ada)
    assert (run.state, run.error_code) == ("succeeded", "")
    ada.refresh_from_db()
    assert ada.state == "active"
    assert held(ada) == truth(sandbox, ada)


def test_a_fault_that_does_not_pass_ends_the_run_and_is_tried_again_on_schedule(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sandbox.faults(http_500=1)

    (run,) = sync_when_due(ada, clock, syncs=1)

    settings = SyncSettings.objects.get(pk=ada.pk)
    assert (run.state, run.error_code, settings.failures) == ("failed", "retry_later", 1)
    sandbox.faults()
    (run,) = sync_when_due(ada, clock, syncs=1)
    settings.refresh_from_db()
    assert (run.state, settings.failures) == ("succeeded", 0)


def test_an_answer_in_an_unknown_shape_fails_the_run_and_loses_nobody(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    meet(sandbox, ada, body={"people": []})

    run = run_to_end(ada)

    assert (run.state, run.error_code) == ("failed", "wrong_shape")
    assert run.error_detail
    assert len(held(ada)) == 120
    assert kinds(ada) == {}


SOMEBODY = {"id": "17841400000000001", "username": "some.body"}


@pytest.mark.parametrize(
    "changed",
    [
        {"username": "na\x00me"},
        {"username": "x" * 200},
        {"username": "na me\n"},
        {"id": str(2**64)},
        {"id": 17841400000000001.5},
        {"id": True},
    ],
)
def test_a_row_that_cannot_be_stored_changes_nothing_and_is_no_fault_of_ours(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock, changed: dict[str, object]
) -> None:
    sandbox.change(ada.instagram_id or "", follow=2)
    rows = [{"id": "17841400000000002", "username": "first"}, SOMEBODY | changed]
    meet(sandbox, ada, body={"data": rows, "paging": {"cursors": {}}})

    run = run_to_end(ada)

    assert (run.state, run.error_code) == ("failed", "wrong_shape")
    assert len(held(ada)) == 120
    assert kinds(ada) == {}
    assert SyncSettings.objects.get(pk=ada.pk).next_due_at is not None
    sync_when_due(ada, clock, syncs=1)
    assert held(ada) == truth(sandbox, ada)


def test_a_count_that_is_none_changes_nothing(sandbox: Sandbox, ada: LinkedAccount) -> None:
    body = {"user_id": ada.instagram_id, "username": "lovelace", "followers_count": 2**70}
    sandbox.script([{"body": body}], account=ada.instagram_id, route="me")

    run = run_to_end(ada)

    assert (run.state, run.error_code) == ("failed", "wrong_shape")
    assert SyncSettings.objects.get(pk=ada.pk).reported == 120


def test_a_missing_permission_keeps_the_link_and_says_so(
    sandbox: Sandbox, ada: LinkedAccount
) -> None:
    meet(sandbox, ada, error="200_permission")

    run = run_to_end(ada)

    ada.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "permission_missing")
    assert ada.state == "active"


def test_an_empty_answer_is_no_mass_exodus(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sandbox.faults(empty_page=1)

    sync_when_due(ada, clock, syncs=6)

    assert len(held(ada)) == 120
    assert "lost" not in kinds(ada)


def test_a_sync_never_falls_due_in_the_past(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sync_when_due(ada, clock, syncs=1)
    run_to_end(ada)

    due = SyncSettings.objects.get(pk=ada.pk).next_due_at
    assert due is not None
    assert clock() < due <= clock() + timedelta(minutes=361)


def test_a_cursor_that_grew_too_old_begins_the_scan_anew_and_loses_nobody(
    sandbox: Sandbox, alice: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EdgeSource, "page_limit", 20)
    account = connect(sandbox, alice, "bob")
    refusal = {"error": {"message": "(#100) Invalid cursor", "type": "OAuthException", "code": 100}}
    sandbox.script(
        [{}, {}, {"body": refusal, "status": 400}],
        account=account.instagram_id,
        route="followers",
    )

    runs = sync_when_due(account, clock, syncs=4)

    assert {run.state for run in runs} == {"succeeded"}
    assert held(account) == truth(sandbox, account)
    assert FullScan.objects.filter(closed_at=None).count() == 0


def test_a_bell_that_rings_while_a_run_reads_is_answered_by_another_run(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    run_to_end(ada)
    run = sync.request_sync(account=ada, trigger="schedule")

    def ring(_progress: object) -> None:
        clock.advance(seconds=1)
        signals.webhook_received.send(sender=None, account=ada)

    while sync.advance(run.pk, watch=ring):
        pass

    run.refresh_from_db()
    follower = SyncRun.objects.filter(account=ada).latest("pk")
    assert run.state == "succeeded"
    assert (follower.state, follower.trigger) == ("queued", "webhook")
    run_to_end(ada)
    assert not SyncRun.objects.filter(account=ada, state__in=SyncRun.OPEN).exists()


def test_a_bell_right_after_another_is_not_forgotten_but_answered_after_the_storm(
    ada: LinkedAccount, clock: Clock
) -> None:
    signals.webhook_received.send(sender=None, account=ada)
    run_to_end(ada)
    clock.advance(seconds=5)

    signals.webhook_received.send(sender=None, account=ada)

    assert not SyncRun.objects.filter(account=ada, state__in=SyncRun.OPEN).exists()
    due = SyncSettings.objects.get(pk=ada.pk).next_due_at
    assert due is not None
    assert (due - clock()).total_seconds() <= 20
