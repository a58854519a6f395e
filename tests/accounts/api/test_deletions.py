"""Leaving over the API: erase one account, or everything; and the public status of it."""

from __future__ import annotations

import pytest

from accounts.models import DeletionRequest, User
from accounts.services import erasure
from tests.support.api import API, browser, confirm, problem, program

DELETIONS = f"{API}/deletions/"

pytestmark = pytest.mark.django_db


def test_erasing_an_account_is_accepted_and_can_be_followed(alices_program, anonymous, account):
    response = alices_program.post(DELETIONS, {"account": account.pk})

    body = response.json()
    assert response.status_code == 202
    assert body["state"] == "requested"
    assert body["url"] == f"http://testserver/deletion/{body['confirmation_code']}/"
    status = anonymous.get(response["Location"])
    assert status.status_code == 200
    assert status.json().keys() == {
        "confirmation_code", "state", "requested_at", "completed_at", "erased", "receipt",
    }  # fmt: skip
    account.refresh_from_db()
    assert account.state == "unlinked"


def test_the_status_ends_with_a_receipt_and_names_nobody(alices_program, anonymous, account):
    code = alices_program.post(DELETIONS, {"account": account.pk}).json()["confirmation_code"]
    deletion = DeletionRequest.objects.get(code=code)
    while erasure.advance(deletion.pk):
        pass

    response = anonymous.get(f"{DELETIONS}{code}/")

    assert response.json()["state"] == "completed"
    assert response.json()["receipt"]
    for word in ("alice", account.instagram_id):
        assert word not in response.content.decode()


def test_erasing_everything_ends_the_members_access_at_once(alices_program, alice, account):
    response = alices_program.post(DELETIONS, {"everything": True})

    assert response.status_code == 202
    assert alices_program.get(f"{API}/me/").status_code == 401
    assert not User.objects.filter(pk=alice.pk, is_active=True).exists()


@pytest.mark.parametrize(
    "wish",
    [{}, {"everything": False}, {"account": 1, "everything": True}, {"account": "x"}, {"all": 1}],
)
def test_an_unclear_wish_erases_nothing(alices_program, account, wish):
    problem(alices_program.post(DELETIONS, wish), 422, "invalid")

    assert not DeletionRequest.objects.exists()


def test_nobody_erases_what_is_not_theirs(bobs_program, anonymous, alice, account):
    wish = {"account": account.pk}

    problem(bobs_program.post(DELETIONS, wish), 404, "not_found")
    problem(anonymous.post(DELETIONS, wish), 401, "not_authenticated")
    problem(program(alice, "accounts:write").post(DELETIONS, wish), 403, "scope_missing")

    assert not DeletionRequest.objects.exists()


def test_the_ledger_tells_a_program_from_the_member(alices_program, alice, account):
    confirm(browser(alice)).post(DELETIONS, {"account": account.pk})

    assert DeletionRequest.objects.get().channel == "web"


def test_a_browser_left_open_erases_and_unlinks_nothing(alice, account):
    left_open = browser(alice)

    for answer in (
        left_open.post(DELETIONS, {"account": account.pk}),
        left_open.post(DELETIONS, {"everything": True}),
        left_open.delete(f"{API}/accounts/{account.pk}/"),
    ):
        problem(answer, 403, "reauthentication_required")
    account.refresh_from_db()
    assert account.state == "active"
    assert not DeletionRequest.objects.exists()


@pytest.mark.parametrize("code", ["AAAAAAAAAAAAAAAAAAAA", "x", "%00", "a" * 500])
def test_a_code_that_was_never_given_out(anonymous, code):
    assert anonymous.get(f"{DELETIONS}{code}/").status_code == 404
