"""Consent over the API: programs look and withdraw, only the member grants."""

from __future__ import annotations

import pytest

from accounts.models import ConsentEvent
from accounts.scopes import Scope
from accounts.selectors import consents_in_force
from tests.support.api import API, problem, program
from tests.support.factories import consent

pytestmark = pytest.mark.django_db


def address(account, scope=""):
    return f"{API}/accounts/{account.pk}/consents/" + (f"{scope}/" if scope else "")


def test_every_purpose_is_listed_with_its_text(alices_program, account):
    consent(account, Scope.FOLLOWERS)

    rows = alices_program.get(address(account)).json()["results"]

    assert [row["scope"] for row in rows] == [scope.value for scope in Scope]
    assert [row["scope"] for row in rows if row["granted"]] == ["followers"]
    assert all(row["text"] and len(row["text_hash"]) == 64 for row in rows)


def test_one_purpose(alices_program, account):
    assert alices_program.get(address(account, "followers")).json()["granted"] is False


def test_the_member_grants_in_their_own_session_to_the_text_shown(alices_browser, account):
    shown = alices_browser.get(address(account, "followers")).json()

    response = alices_browser.put(address(account, "followers"), {"text_hash": shown["text_hash"]})

    assert response.status_code == 200, response.content
    assert response.json()["granted"] is True
    assert consents_in_force(account) == {Scope.FOLLOWERS}
    assert ConsentEvent.objects.get().channel == "web"


def test_a_program_never_grants(alices_program, account):
    shown = alices_program.get(address(account, "followers")).json()

    response = alices_program.put(address(account, "followers"), {"text_hash": shown["text_hash"]})

    problem(response, 403, "consent_needs_member")
    assert not ConsentEvent.objects.exists()


def test_a_grant_to_another_text_than_the_one_in_force_is_refused(alices_browser, account):
    response = alices_browser.put(address(account, "followers"), {"text_hash": "0" * 64})

    problem(response, 409, "consent_text_outdated")
    assert not ConsentEvent.objects.exists()


def test_a_grant_without_the_texts_hash_is_refused(alices_browser, account):
    problem(alices_browser.put(address(account, "followers"), {}), 422, "invalid")


def test_a_program_withdraws_and_the_ledger_says_so(alices_program, account):
    consent(account, Scope.FOLLOWERS)

    response = alices_program.delete(address(account, "followers"))

    assert response.status_code == 204
    assert consents_in_force(account) == frozenset()
    assert ConsentEvent.objects.order_by("-sequence")[0].channel == "api"


def test_a_program_may_not_grant_the_keeping_of_data(alices_program, account):
    consent(account, Scope.FOLLOWERS)

    response = alices_program.delete(address(account, "followers"), {"keep_data": True})

    problem(response, 403, "consent_needs_member")
    assert consents_in_force(account) == {Scope.FOLLOWERS}


def test_withdrawing_what_was_never_given_is_a_conflict(alices_program, account):
    problem(alices_program.delete(address(account, "followers")), 409, "consent_not_in_force")


def test_a_purpose_that_does_not_exist(alices_program, account):
    problem(alices_program.get(address(account, "telepathy")), 404, "not_found")


def test_the_history_is_the_accounts_chain_newest_first(alices_program, account):
    consent(account, Scope.PROFILE, Scope.FOLLOWERS)
    alices_program.delete(address(account, "followers"))

    rows = alices_program.get(address(account, "history")).json()["results"]

    assert [(row["sequence"], row["scope"], row["action"]) for row in rows] == [
        (3, "followers", "withdrawn"),
        (2, "followers", "granted"),
        (1, "profile", "granted"),
    ]


def test_the_history_is_paged(alices_program, account):
    consent(account, Scope.PROFILE, Scope.FOLLOWERS)

    first = alices_program.get(address(account, "history"), {"limit": 1}).json()
    second = alices_program.get(first["next"]).json()

    assert [row["sequence"] for row in first["results"] + second["results"]] == [2, 1]
    assert second["next"] is None
    assert alices_program.get(second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize("cursor", ["x", "bm9uc2Vuc2U=", "é", "bzE=" * 50])
def test_a_cursor_that_is_not_ours_is_invalid_input(alices_program, account, cursor):
    problem(alices_program.get(address(account, "history"), {"cursor": cursor}), 422, "bad_cursor")


@pytest.mark.parametrize("scope", ["", "followers", "history"])
def test_others_and_visitors_see_nothing(bobs_program, anonymous, alice, account, scope):
    problem(bobs_program.get(address(account, scope)), 404, "not_found")
    problem(anonymous.get(address(account, scope)), 401, "not_authenticated")
    lacking = program(alice, "followers:read")
    problem(lacking.get(address(account, scope)), 403, "scope_missing")


def test_nobody_else_withdraws(bobs_program, anonymous, alice, account):
    consent(account, Scope.FOLLOWERS)
    where = address(account, "followers")

    problem(bobs_program.delete(where), 404, "not_found")
    problem(anonymous.delete(where), 401, "not_authenticated")
    problem(program(alice, "accounts:read").delete(where), 403, "scope_missing")

    assert consents_in_force(account) == {Scope.FOLLOWERS}
