"""Alice owns, Bob is another member, Charlie is a stranger, Stella is staff."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import LinkedAccount, User
from tests.support.factories import LinkedAccountFactory, MemberFactory


def _member(username: str, **fields: object) -> User:
    member: User = MemberFactory(username=username, **fields)
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    return member


def sign_in(client: Client, member: User) -> Client:
    """As a password does it, but quicker."""
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    record_authentication(SimpleNamespace(session=session), member, "password")
    session.save()
    return client


def grow_old(client: Client, seconds: float = 3600) -> Client:
    """As if the last sign-in, or proof, were so long ago."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - seconds
    session.save()
    return client


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
    """A browser in which Alice signed in just now, which counts as proof of who she is."""
    return sign_in(client, alice)
