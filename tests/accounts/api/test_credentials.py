"""Who gets in: without a valid credential 401, without the scope 403, in the same form always."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Client, Token
from django.utils import timezone
from rest_framework.test import APIClient

from tests.support.api import API, browser, problem, program

ME = f"{API}/me/"

pytestmark = pytest.mark.django_db


def with_header(value: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=value)
    return client


def test_a_visitor_is_told_how_to_authenticate(anonymous):
    response = anonymous.get(ME)

    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Basic YTpi", "nonsense"])
def test_a_credential_that_does_not_hold_is_refused(header):
    response = with_header(header).get(ME)

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"


def test_a_bad_token_is_not_hidden_by_the_session_that_comes_with_it(alice):
    client = browser(alice)
    client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    problem(client.get(ME), 401, "invalid_token")


def test_an_expired_token_is_refused(alice):
    client = program(alice)
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    problem(client.get(ME), 401, "invalid_token")


def test_a_revoked_token_is_refused(alice):
    client = program(alice)
    Token.objects.all().delete()

    problem(client.get(ME), 401, "invalid_token")


def test_a_refresh_token_opens_nothing(alice):
    client = program(alice)
    Token.objects.update(type=Token.Type.REFRESH_TOKEN)

    problem(client.get(ME), 401, "invalid_token")


def test_a_token_without_a_member_gets_nothing(alice):
    client = program(alice)
    Token.objects.update(user=None)

    problem(client.get(ME), 401, "invalid_token")


def test_the_token_of_a_member_who_left_is_refused(alice):
    client = program(alice)
    alice.is_active = False
    alice.save()

    problem(client.get(ME), 401, "invalid_token")


def test_a_token_in_the_address_is_not_taken_for_one(alice):
    value = "query-token"
    token = Token(type=Token.Type.ACCESS_TOKEN, user=alice, client=Client.objects.create(name="x"))
    token.set_value(value)
    token.set_scopes(["accounts:read"])
    token.save()

    problem(APIClient().get(ME, {"access_token": value}), 401, "not_authenticated")
    assert with_header(f"Bearer {value}").get(ME).status_code == 200


def test_a_token_for_another_address_is_refused(alice):
    client = program(alice)
    token = Token.objects.get()
    token.set_resources(["https://elsewhere.example/"])
    token.save()

    problem(client.get(ME), 401, "invalid_token")


def test_a_program_without_the_scope_learns_which_one_it_lacks(alice):
    response = program(alice, "followers:read").get(ME)

    problem(response, 403, "scope_missing")
    assert 'scope="accounts:read"' in response["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in response["WWW-Authenticate"]


def test_writing_does_not_include_reading(alice):
    problem(program(alice, "accounts:write").get(ME), 403, "scope_missing")


def test_a_session_writes_only_with_the_csrf_token(alice):
    client = browser(alice)
    client.credentials()

    problem(client.post(f"{API}/accounts/", {"username": "ada"}), 403, "permission_denied")


def test_the_session_may_all_that_its_member_may(alice):
    assert browser(alice).get(ME).json()["username"] == "alice"


def test_staff_see_nothing_of_others_over_the_api(stella, account):
    client = program(stella)

    assert client.get(f"{API}/accounts/").json()["results"] == []
    problem(client.get(f"{API}/accounts/{account.pk}/"), 404, "not_found")
