"""Alice owns, Bob is another member, Charlie is a stranger, Stella is staff."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import LinkedAccount, User
from tests.support.factories import LinkedAccountFactory, MemberFactory


def _member(username: str, **fields: object) -> User:
    member: User = MemberFactory(username=username, **fields)
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    return member


@pytest.fixture
def alice(db: None) -> User:
    return _member("alice")


@pytest.fixture
def bob(db: None) -> User:
    return _member("bob")


@pytest.fixture
def charlie(db: None) -> User:
    return _member("charlie")


@pytest.fixture
def stella(db: None) -> User:
    return _member("stella", is_staff=True, is_superuser=True)


@pytest.fixture
def account(alice: User) -> LinkedAccount:
    """Alice's linked account; no consent given yet."""
    linked: LinkedAccount = LinkedAccountFactory(owner=alice, username="alice.ig")
    return linked


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    """A browser in which Alice is signed in."""
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    return client
