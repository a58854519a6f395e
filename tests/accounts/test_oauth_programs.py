"""A program gets access by OAuth 2.0: code and PKCE, the member's yes, and an end."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.idp.oidc.models import Client as Program
from allauth.idp.oidc.models import Token
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from pytest_django import Settings

from accounts import selectors
from accounts.models import User
from accounts.services import programs

REDIRECT = "https://program.example/back"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


@pytest.fixture
def program(db: None) -> Program:
    made = Program(id="a-program", name="A program", type=Program.Type.PUBLIC)
    made.set_scopes(["openid", "accounts:read", "followers:read"])
    made.set_grant_types(["authorization_code", "refresh_token"])
    made.set_redirect_uris([REDIRECT])
    made.save()
    return made


def _authorize(browser: Client, scope: str, **more: str) -> Any:
    return browser.get(
        "/identity/o/authorize",
        {
            "client_id": "a-program",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": scope,
            "state": "xyz",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        },
    )


def _tokens(browser: Client, scope: str = "accounts:read") -> dict[str, Any]:
    page = _authorize(browser, scope)
    form = page.context["form"]
    answer = browser.post(
        "/identity/o/authorize",
        {"action": "grant", "scopes": scope.split(), "request": form["request"].value()},
    )
    code = parse_qs(urlsplit(answer["Location"]).query)["code"][0]
    answer = _exchange(grant_type="authorization_code", code=code, code_verifier=VERIFIER)
    return dict(answer.json())


def _exchange(**form: str) -> Any:
    return Client().post(
        "/identity/o/api/token", {"client_id": "a-program", "redirect_uri": REDIRECT, **form}
    )


def test_what_can_be_had_is_published(client: Client, db: None) -> None:
    document = client.get("/.well-known/openid-configuration").json()

    assert document["issuer"] == "http://testserver"
    assert {"accounts:read", "accounts:write", "privacy:write"} <= set(document["scopes_supported"])
    assert client.get("/.well-known/jwks.json").status_code == 200


def test_the_member_is_told_in_words_what_the_program_may_do(
    as_alice: Client, program: Program
) -> None:
    page = _authorize(as_alice, "accounts:read").content.decode()

    assert "A program" in page
    assert "linked accounts" in page


def test_with_the_members_yes_the_program_gets_tokens_that_end(
    as_alice: Client, alice: User, program: Program
) -> None:
    given = _tokens(as_alice)

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
    old = _tokens(as_alice)["refresh_token"]

    assert _exchange(grant_type="refresh_token", refresh_token=old).status_code == 200
    assert _exchange(grant_type="refresh_token", refresh_token=old).status_code == 400


def test_without_the_verifier_a_stolen_code_is_worthless(
    as_alice: Client, program: Program
) -> None:
    page = _authorize(as_alice, "accounts:read")
    answer = as_alice.post(
        "/identity/o/authorize",
        {
            "action": "grant",
            "scopes": ["accounts:read"],
            "request": page.context["form"]["request"].value(),
        },
    )
    code = parse_qs(urlsplit(answer["Location"]).query)["code"][0]

    stolen = _exchange(grant_type="authorization_code", code=code, code_verifier="x" * 50)

    assert stolen.status_code == 400


def test_a_program_cannot_ask_for_more_than_it_is_registered_for(
    as_alice: Client, program: Program
) -> None:
    answer = _authorize(as_alice, "privacy:write")

    assert "code=" not in answer.get("Location", "")
    assert not Token.objects.exists()


def test_shutting_a_program_out_ends_all_of_its_tokens(
    as_alice: Client, alice: User, program: Program
) -> None:
    given = _tokens(as_alice)
    assert [each.name for each in selectors.programs_of(alice)] == ["A program"]

    programs.revoke_program(user=alice, client_id=program.pk)

    refused = _exchange(grant_type="refresh_token", refresh_token=given["refresh_token"])
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
def test_without_a_key_nobody_is_asked_for_an_identity_that_could_not_be_told(
    as_alice: Client, program: Program, no_key: None, scope: str
) -> None:
    answer = _authorize(as_alice, scope)

    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{REDIRECT}?")
    told = parse_qs(urlsplit(answer["Location"]).query)
    assert (told["error"], told["state"]) == (["invalid_scope"], ["xyz"])


def test_without_a_key_the_other_scopes_are_given_as_ever(
    as_alice: Client, program: Program, no_key: None
) -> None:
    assert _tokens(as_alice)["scope"] == "accounts:read"


def test_a_refusal_never_leads_to_an_address_that_is_not_the_programs(
    as_alice: Client, program: Program, no_key: None
) -> None:
    answer = _authorize(as_alice, "openid", redirect_uri="https://elsewhere.example/")

    assert "elsewhere" not in answer.get("Location", "")


def test_a_key_that_is_taken_away_meanwhile_is_an_error_of_oauths_and_no_500(
    as_alice: Client, program: Program, settings: Settings
) -> None:
    settings.IDP_OIDC_PRIVATE_KEY = new_key()
    given = _tokens(as_alice, "openid")
    assert "id_token" in given
    settings.IDP_OIDC_PRIVATE_KEY = ""

    answer = _exchange(grant_type="refresh_token", refresh_token=given["refresh_token"])

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
