"""A page of an account is its owner's alone; to everybody else it is not there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import LinkedAccount, User

PAGES = [
    "account",
    "account-progress",
    "account-followers",
    "account-changes",
    "account-settings",
    "account-unlink",
    "account-delete",
]
ACTS = [
    "account-sync",
    "account-interval",
    "account-pause",
    "account-resume",
    "account-unlink",
    "account-delete",
]


@pytest.mark.parametrize("name", PAGES)
def test_the_owner_sees_the_page(name: str, as_alice: Client, followed: LinkedAccount) -> None:
    answer = as_alice.get(reverse(name, args=[followed.pk]))

    assert answer.status_code == 200
    assert f"/accounts/{followed.pk}/" in answer.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_another_member_is_told_that_there_is_nothing(
    name: str, client: Client, bob: User, followed: LinkedAccount
) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.get(reverse(name, args=[followed.pk]))

    assert answer.status_code == 404
    assert "alice.ig" not in answer.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_is_asked_to_sign_in(name: str, client: Client, followed: LinkedAccount) -> None:
    address = reverse(name, args=[followed.pk])

    answer = client.get(address)

    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{reverse('account_login')}?next=")


@pytest.mark.parametrize("name", ACTS)
def test_another_member_cannot_act_on_it(
    name: str, client: Client, bob: User, followed: LinkedAccount
) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")

    client.post(reverse(name, args=[followed.pk]), {"erase": "now", "interval_minutes": "60"})

    followed.refresh_from_db()
    assert followed.state == "active"


@pytest.mark.parametrize("name", ACTS[:4])
def test_reading_an_acts_address_does_nothing(
    name: str, as_alice: Client, followed: LinkedAccount
) -> None:
    answer = as_alice.get(reverse(name, args=[followed.pk]))

    followed.refresh_from_db()
    assert answer.status_code == 405
    assert followed.state == "active"


@pytest.mark.parametrize("number", [0, 999_999_999, 10**30])
def test_an_account_that_never_was_is_not_found(
    number: int, as_alice: Client, followed: LinkedAccount
) -> None:
    assert as_alice.get(f"/accounts/{number}/").status_code == 404
