"""What is too large, or a stranger's, is refused by its header: not a byte of it is read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.urls import reverse

from tests.support.api import API, program
from threadsite import body_limits
from threadsite.body_limits import UPLOAD, USUAL

pytestmark = pytest.mark.django_db

FORM = "multipart/form-data; boundary=x"
MIB = 1 << 20


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Django would close the test's own with the end of a request; so do its test clients."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


class Counted(io.BytesIO):
    """A body of `size` bytes that counts what is read of it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left, self.taken = size, 0

    def read(self, size: int | None = -1) -> bytes:
        size = self.left if size is None or size < 0 else min(size, self.left)
        self.left -= size
        self.taken += size
        return b"x" * size


def send(
    path: str, size: int, kind: str = FORM, client: Client | None = None, **headers: Any
) -> tuple[int, dict[str, str], bytes, int]:
    """(status, headers, body, bytes read), through every middleware, with CSRF checks on."""
    body = Counted(size)
    cookies = (client or Client()).cookies
    environ = {
        **Client()._base_environ(),
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(size),
        "HTTP_COOKIE": "; ".join(f"{name}={each.value}" for name, each in cookies.items()),
        "wsgi.input": body,
        **headers,
    }
    told: dict[str, Any] = {}

    def start(status: str, answered: list[tuple[str, str]], *_args: object) -> None:
        told.update(status=int(status[:3]), headers=dict(answered))

    answer = b"".join(WSGIHandler()(environ, start))
    return told["status"], told["headers"], answer, body.taken


@pytest.mark.parametrize("path", ["/privacy/", "/link/", "/auth/login/", "/nowhere/", "/"])
def test_a_strangers_large_form_is_not_read(path):
    status, _headers, answer, taken = send(path, 200 * MIB)

    assert (status, taken) == (413, 0)
    assert "This request is too large." in answer.decode()


def test_a_strangers_upload_is_not_read(account):
    """It would have been written to the disk before anybody asked who sends it."""
    address = reverse("account-import", args=[account.pk])

    status, headers, _answer, taken = send(address, 200 * MIB)

    assert (status, taken) == (302, 0)
    assert headers["Location"].startswith(reverse("account_login"))


def test_a_members_upload_is_read(as_alice, account):
    address = reverse("account-import", args=[account.pk])

    as_alice.cookies["csrftoken"] = "c" * 32

    _status, _headers, _answer, taken = send(address, 2 * MIB, client=as_alice)

    assert taken > 0


def test_no_upload_may_be_larger_than_an_archive(as_alice, account):
    address = reverse("account-import", args=[account.pk])

    status, _headers, _answer, taken = send(address, UPLOAD + 1, client=as_alice)

    assert (status, taken) == (413, 0)


@pytest.mark.parametrize("path", [f"{API}/accounts/", f"{API}/nowhere/"])
def test_the_api_says_so_as_a_problem(path):
    status, headers, answer, taken = send(path, USUAL + 1, "application/json")

    assert (status, taken) == (413, 0)
    assert headers["Content-Type"] == "application/problem+json"
    assert b'"too_large"' in answer


def test_an_upload_to_the_api_without_a_token_is_not_read(account):
    status, _headers, _answer, taken = send(f"{API}/accounts/{account.pk}/imports/", 200 * MIB)

    assert (status, taken) == (401, 0)


@pytest.mark.parametrize("switched_on", [True, False])
def test_a_pushed_item_without_a_token_is_not_kept(settings, switched_on):
    settings.TRANSFER_DESTINATION = switched_on

    status, _headers, _answer, taken = send("/transfer/blobs", 200 * MIB, "multipart/related")

    assert status == (401 if switched_on else 404)
    assert taken <= 64 * MIB  # so that the sender sees the answer; dropped piece by piece


def test_a_pushed_item_that_no_archive_can_be_is_refused(settings):
    settings.TRANSFER_DESTINATION = True

    status, _headers, answer, taken = send("/transfer/blobs", UPLOAD + 1, "multipart/related")

    assert (status, taken) == (413, 0)
    assert b'"error": "too_large"' in answer


def test_a_body_of_unknown_length_is_refused():
    headers = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}

    status, _headers, _answer, taken = send("/privacy/", 10 * MIB, **headers)

    assert (status, taken) == (411, 0)


def test_every_route_that_takes_files_is_named_by_its_address():
    for name in body_limits.UPLOADS:
        arguments = [] if name == "transfer-blobs" else [1]
        assert reverse(name, args=arguments)


def test_a_proxy_is_told_who_may_upload(as_alice, alice):
    token = program(alice, "followers:write")

    assert Client().get("/may-upload").status_code == 401
    assert Client().get("/may-upload", HTTP_AUTHORIZATION="Bearer no").status_code == 401
    assert as_alice.get("/may-upload").status_code == 204
    assert token.get("/may-upload").status_code == 204
