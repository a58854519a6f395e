"""The API as a program sees it (bearer token) and as a browser does (session with CSRF)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.api_scopes import SCOPES
from accounts.models import LinkedAccount, User
from accounts.services.programs import issue_token
from tests.support.factories import PASSWORD, LinkedAccountFactory

API = "/api/v1"


def program(member: User, *scopes: str) -> APIClient:
    """A program with a token of this member's; without `scopes`, with all of them."""
    client = APIClient()
    token = issue_token(user=member, scopes=list(scopes or SCOPES))
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def browser(member: User) -> APIClient:
    """The member's own session; CSRF is enforced as in production, and satisfied."""
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    token = "c" * 32
    client.cookies["csrftoken"] = token
    client.credentials(HTTP_X_CSRFTOKEN=token)
    return client


def confirm(client: APIClient) -> APIClient:
    """The member types their password once more."""
    answer = client.post("/auth/reauthenticate/", {"password": PASSWORD}, format="multipart")
    assert answer.status_code == 302
    return client


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Asserts that the answer is this problem, in the form of RFC 9457, and returns it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code"} <= body.keys()
    assert body["status"] == status
    assert body["code"] == code, body
    return body


@contextmanager
def counting_queries() -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as queries:
        yield queries


@pytest.fixture
def bobs_account(bob: User) -> LinkedAccount:
    linked: LinkedAccount = LinkedAccountFactory(owner=bob, username="bob.ig")
    return linked


@pytest.fixture
def anonymous(db: None) -> APIClient:
    return APIClient()


@pytest.fixture
def alices_program(alice: User) -> APIClient:
    return program(alice)


@pytest.fixture
def bobs_program(bob: User) -> APIClient:
    return program(bob)


@pytest.fixture
def alices_browser(alice: User) -> APIClient:
    return browser(alice)
