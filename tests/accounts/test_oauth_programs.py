"""A program gets access by OAuth 2.0: code and PKCE, the member's yes, and an end."""

from __future__ import annotations

import pytest
from allauth.idp.oidc.models import Client as Program
from allauth.idp.oidc.models import Token
from django.test import Client
from pytest_django import Settings

from accounts import selectors
from accounts.models import User
from accounts.services import programs
from tests.support.oauth import REDIRECT, ask, exchange, grant, new_key, renew, tokens, told


def test_what_can_be_had_is_published(client: Client, db: None) -> None:
    document = client.get("/.well-known/openid-configuration").json()

    assert document["issuer"] == "http://testserver"
    assert {"accounts:read", "accounts:write", "privacy:write"} <= set(document["scopes_supported"])
    assert client.get("/.well-known/jwks.json").status_code == 200


def test_the_member_is_told_in_words_what_the_program_may_do(
    as_alice: Client, program: Program
) -> None:
    page = ask(as_alice, "accounts:read").content.decode()

    assert "A program" in page
    assert "linked accounts" in page


def test_with_the_members_yes_the_program_gets_tokens_that_end(
    as_alice: Client, alice: User, program: Program
) -> None:
    given = tokens(as_alice)

    access = Token.objects.lookup(Token.Type.ACCESS_TOKEN, given["access_token"])
    refresh = Token.objects.lookup(Token.Type.REFRESH_TOKEN, given["refresh_token"])
    assert access.user_id == refresh.user_id == alice.pk
    assert access.get_scopes() == ["accounts:read"]
    assert access.expires_at is not None
    assert refresh.expires_at is not None
    stored = "".join(str(row) for row in Token.objects.values_list())
    assert given["access_token"] not in stored
    assert given["refresh_token"] not in stored


def test_a_refresh_token_works_once(as_alice: Client, program: Program) -> None:
    old = tokens(as_alice)["refresh_token"]

    assert renew(old).status_code == 200
    assert renew(old).status_code == 400


def test_without_the_verifier_a_stolen_code_is_worthless(
    as_alice: Client, program: Program
) -> None:
    code = told(grant(as_alice, "accounts:read"))["code"]

    stolen = exchange(grant_type="authorization_code", code=code, code_verifier="x" * 50)

    assert stolen.status_code == 400


def test_a_program_cannot_ask_for_more_than_it_is_registered_for(
    as_alice: Client, program: Program
) -> None:
    answer = ask(as_alice, "privacy:write")

    assert "code=" not in answer.get("Location", "")
    assert not Token.objects.exists()


def test_shutting_a_program_out_ends_all_of_its_tokens(
    as_alice: Client, alice: User, program: Program
) -> None:
    given = tokens(as_alice)
    assert [each.name for each in selectors.programs_of(alice)] == ["A program"]

    programs.revoke_program(user=alice, client_id=program.pk)

    refused = renew(given["refresh_token"])
    assert refused.status_code == 400
    assert Token.objects.lookup(Token.Type.ACCESS_TOKEN, given["access_token"]) is None


def test_a_programs_secret_is_stored_hashed(db: None) -> None:
    made = Program(name="Confidential")
    made.set_secret("its-secret")
    made.save()

    assert "its-secret" not in Program.objects.get(pk=made.pk).secret
    assert made.check_secret("its-secret")


@pytest.fixture
def no_key(settings: Settings) -> None:
    """The operator has set no key that could sign who somebody is."""
    settings.IDP_OIDC_PRIVATE_KEY = ""


@pytest.mark.parametrize("scope", ["openid", "accounts:read openid"])
@pytest.mark.usefixtures("no_key")
def test_without_a_key_nobody_is_asked_for_an_identity_that_could_not_be_told(
    as_alice: Client, program: Program, scope: str
) -> None:
    answer = ask(as_alice, scope)

    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{REDIRECT}?")
    assert (told(answer)["error"], told(answer)["state"]) == ("invalid_scope", "xyz")


@pytest.mark.usefixtures("no_key")
def test_without_a_key_the_other_scopes_are_given_as_ever(
    as_alice: Client, program: Program
) -> None:
    assert tokens(as_alice)["scope"] == "accounts:read"


@pytest.mark.usefixtures("no_key")
def test_a_refusal_never_leads_to_an_address_that_is_not_the_programs(
    as_alice: Client, program: Program
) -> None:
    answer = ask(as_alice, "openid", redirect_uri="https://elsewhere.example/")

    assert "elsewhere" not in answer.get("Location", "")


def test_a_key_that_is_taken_away_meanwhile_is_an_error_of_oauths_and_no_500(
    as_alice: Client, program: Program, settings: Settings
) -> None:
    settings.IDP_OIDC_PRIVATE_KEY = new_key()
    given = tokens(as_alice, "openid")
    assert "id_token" in given
    settings.IDP_OIDC_PRIVATE_KEY = ""

    answer = renew(given["refresh_token"])

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
