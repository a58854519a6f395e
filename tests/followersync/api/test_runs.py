"""Asking for a sync over the API, and watching it."""

from __future__ import annotations

import pytest

from accounts.models import QuotaUse
from accounts.scopes import Scope
from accounts.services.consent import withdraw
from followersync.models import SyncRun
from followersync.services.sync.runs import request_sync
from tests.support.api import API, browser, counting_queries, problem, program

pytestmark = pytest.mark.django_db

FIELDS = {
    "id", "state", "trigger", "mode", "progress", "pages", "calls", "gained", "lost", "returned",
    "renamed", "evidence", "error", "created_at", "finished_at",
}  # fmt: skip


def at(account, *rest: object) -> str:
    return f"{API}/accounts/{account.pk}/" + "".join(f"{part}/" for part in rest)


def close(run: SyncRun, clock, **fields: object) -> None:
    SyncRun.objects.filter(pk=run.pk).update(state="succeeded", finished_at=clock(), **fields)


def test_a_sync_is_accepted_and_can_be_watched(alices_program, followed):
    response = alices_program.post(at(followed, "sync"))

    body = response.json()
    assert response.status_code == 202
    assert body.keys() == FIELDS
    assert (body["state"], body["trigger"]) == ("queued", "program")
    assert alices_program.get(response["Location"]).json() == body


def test_the_members_own_click_is_told_from_a_programs(alice, followed):
    assert browser(alice).post(at(followed, "sync")).json()["trigger"] == "member"


def test_while_one_runs_the_answer_is_that_run(alices_program, followed):
    running = alices_program.post(at(followed, "sync")).json()

    body = problem(alices_program.post(at(followed, "sync")), 409, "sync_running")

    assert body["run"]["id"] == running["id"]
    assert SyncRun.objects.count() == 1


def test_a_program_that_knocks_in_vain_uses_up_nothing(alices_program, followed):
    alices_program.post(at(followed, "sync"))
    spent = QuotaUse.objects.get(name="sync").spent_until

    alices_program.post(at(followed, "sync"))

    assert QuotaUse.objects.get(name="sync").spent_until == spent


def test_a_paused_account_is_not_synced(alices_program, followed):
    alices_program.patch(at(followed), {"sync_enabled": False})

    problem(alices_program.post(at(followed, "sync")), 409, "paused")


def test_without_consent_nothing_is_synced(alices_program, alice, followed):
    withdraw(account=followed, scope=Scope.FOLLOWERS, channel="web", actor=alice)

    problem(alices_program.post(at(followed, "sync")), 409, "consent_missing")
    assert not SyncRun.objects.exists()


def test_a_body_with_wishes_is_refused(alices_program, followed):
    problem(alices_program.post(at(followed, "sync"), {"mode": "full"}), 422, "invalid")


def test_runs_are_listed_newest_first_at_a_constant_cost(alices_program, followed, clock):
    close(request_sync(account=followed, trigger="schedule"), clock)
    with counting_queries() as one:
        alices_program.get(at(followed, "runs"))
    for _ in range(5):
        close(request_sync(account=followed, trigger="schedule"), clock)

    with counting_queries() as many:
        rows = alices_program.get(at(followed, "runs")).json()["results"]

    assert len(many) == len(one)
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert len(rows) == 6


def test_a_failed_run_says_why(alices_program, followed, clock):
    run = request_sync(account=followed, trigger="schedule")
    SyncRun.objects.filter(pk=run.pk).update(
        state="failed", finished_at=clock(), error_code="wrong_shape", error_detail="Unknown."
    )

    shown = alices_program.get(at(followed, "runs", run.pk)).json()

    assert shown["error"]["code"] == "wrong_shape"
    assert "Nothing was changed" in shown["error"]["detail"]


def test_the_run_of_another_account_is_not_there(alices_program, followed, account):
    run = request_sync(account=followed, trigger="schedule")

    problem(alices_program.get(at(account, "runs", run.pk)), 404, "not_found")
    problem(alices_program.get(at(account, "runs", 10**30)), 404, "not_found")


def test_nobody_else_syncs_or_watches(bobs_program, anonymous, alice, followed):
    for address in (at(followed, "runs"), at(followed, "runs", 1)):
        problem(bobs_program.get(address), 404, "not_found")
        problem(anonymous.get(address), 401, "not_authenticated")
        problem(program(alice, "accounts:write").get(address), 403, "scope_missing")
    problem(bobs_program.post(at(followed, "sync")), 404, "not_found")
    problem(anonymous.post(at(followed, "sync")), 401, "not_authenticated")
    problem(program(alice, "accounts:read").post(at(followed, "sync")), 403, "scope_missing")
    assert not SyncRun.objects.exists()
