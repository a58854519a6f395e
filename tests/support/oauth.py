"""OAuth 2.0 as a program goes through it: ask, the member's grant, exchange."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.idp.oidc.models import Client as Program
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

REDIRECT = "https://program.example/back"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
SECRET = "the-secret-of-a-confidential-program"


def make_program(client_id: str, *scopes: str, **fields: Any) -> Program:
    """Its name is its id, unless `name` is given; its secret is SECRET."""
    made = Program(**{"id": client_id, "name": client_id, "type": Program.Type.PUBLIC, **fields})
    made.set_secret(SECRET)
    made.set_scopes(list(scopes or ("openid", "accounts:read", "followers:read")))
    made.set_grant_types(["authorization_code", "refresh_token"])
    made.set_redirect_uris([REDIRECT])
    made.save()
    return made


@pytest.fixture
def program(db: None) -> Program:
    return make_program("a-program", name="A program")


def ask(browser: Client, scope: str, **more: str) -> Any:
    """The authorization request, as the member's browser makes it; an empty value leaves out."""
    query = {
        "client_id": "a-program",
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": scope,
        "state": "xyz",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **more,
    }
    return browser.get(
        "/identity/o/authorize", {name: value for name, value in query.items() if value}
    )


def grant(browser: Client, scope: str, **more: str) -> Any:
    """The member ticks all of it and presses the button; the answer leads to the program."""
    page = ask(browser, scope, **more)
    return browser.post(
        "/identity/o/authorize",
        {
            "action": "grant",
            "scopes": scope.split(),
            "request": page.context["form"]["request"].value(),
        },
    )


def told(answer: Any) -> dict[str, str]:
    """What the redirect tells the program: `code`, or `error` and its description."""
    query = parse_qs(urlsplit(answer.get("Location", "")).query)
    return {name: values[0] for name, values in query.items()}


def exchange(**form: str) -> Any:
    return Client().post(
        "/identity/o/api/token", {"client_id": "a-program", "redirect_uri": REDIRECT, **form}
    )


def redeem(code: str, **form: str) -> Any:
    return exchange(grant_type="authorization_code", code=code, code_verifier=VERIFIER, **form)


def renew(refresh_token: str, **form: str) -> Any:
    return exchange(grant_type="refresh_token", refresh_token=refresh_token, **form)


def tokens(browser: Client, scope: str = "accounts:read", **more: str) -> dict[str, Any]:
    """The whole round with the public program "a-program"."""
    return dict(redeem(told(grant(browser, scope, **more))["code"]).json())


def new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
