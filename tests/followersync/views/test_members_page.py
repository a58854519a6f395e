"""The page on which members find each other, and what it says to whoever is not to be found."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import linking
from tests.support.factories import consent
from tests.support.sync import linked, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def bobs(bob: User, followed: LinkedAccount) -> LinkedAccount:
    """Bob follows Alice, and she him; he agreed to be found."""
    account = linked(bob, username="bob.ig")
    consent(account, Scope.DISCOVERABLE)
    write(followed, people=[(int(account.instagram_id or ""), "bob.ig")])
    write(account, people=[(int(followed.instagram_id or ""), "alice.ig")])
    return account


def read(client: Client, account: LinkedAccount, query: str = "") -> str:
    answer = client.get(f"/accounts/{account.pk}/members/{query}", follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_it_names_the_other_and_says_why(
    as_alice: Client, followed: LinkedAccount, bobs: LinkedAccount
) -> None:
    consent(followed, Scope.DISCOVERABLE)

    page = read(as_alice, followed)

    assert "@bob.ig" in page
    assert "you follow each other" in page


def test_whoever_is_not_to_be_found_sees_nobody_and_is_told_so(
    as_alice: Client, followed: LinkedAccount, bobs: LinkedAccount
) -> None:
    page = read(as_alice, followed)

    assert "bob.ig" not in page
    assert "You have not allowed being found" in page


def test_a_pause_is_said_to_hide(
    as_alice: Client, followed: LinkedAccount, bobs: LinkedAccount
) -> None:
    consent(followed, Scope.DISCOVERABLE)
    linking.pause(account=followed, actor=followed.owner)

    page = read(as_alice, followed)

    assert "bob.ig" not in page
    assert "This account is paused" in page


def test_a_cursor_that_is_not_ours_leads_to_the_first_page(
    as_alice: Client, followed: LinkedAccount, bobs: LinkedAccount
) -> None:
    consent(followed, Scope.DISCOVERABLE)

    assert "@bob.ig" in read(as_alice, followed, "?cursor=nonsense")


def test_it_is_nobody_elses_page(client: Client, bob: User, followed: LinkedAccount) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(f"/accounts/{followed.pk}/members/").status_code == 404
