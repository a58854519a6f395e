"""A NUL can be in no text of ours; who sends one is told so, and meets no fault of the site's."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import LinkedAccount, User

pytestmark = pytest.mark.django_db


def test_a_search_for_a_null_is_refused(
    client: Client, alice: User, account: LinkedAccount
) -> None:
    client.force_login(alice)
    address = reverse("account-followers", args=[account.pk])

    assert client.get(address, {"q": "\0"}).status_code == 400


def test_a_program_that_exchanges_a_null_is_refused(client: Client) -> None:
    given = {"grant_type": "authorization_code", "code": "\0", "client_id": "\0"}

    answer = client.post(
        reverse("idp:oidc:token"),
        "&".join(f"{name}={value}" for name, value in given.items()).replace("\0", "%00"),
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 400


def test_a_session_cookie_with_a_null_is_a_strangers(client: Client) -> None:
    client.cookies["sessionid"] = "\0" * 32

    assert client.get(reverse("home")).status_code == 200
    assert client.get("/api/v1/me/").status_code == 401


@pytest.mark.parametrize("path", ["/identity/o/api/token", "/identity/o/api/revoke"])
def test_a_null_in_a_form_of_several_parts_is_the_senders_fault_too(
    client: Client, db: None, path: str
) -> None:
    """A program sends forms either way; the test client sends this one by default."""
    answer = client.post(path, {"client_id": "a\0", "grant_type": "refresh_token", "token": "x"})

    assert answer.status_code == 400
