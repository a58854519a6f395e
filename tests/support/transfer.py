"""A data-transfer tool, as the Data Transfer Project's README describes what it sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import LinkedAccount
from accounts.scopes import Scope
from accounts.services.programs import issue_token
from tests.support.exports import Export, population
from tests.support.factories import LinkedAccountFactory, consent

PEOPLE = population(40, seed=3, newest=1_785_000_000)
BOUNDARY = "1581c5eb-05d0-42fe-bfb3-472151f366cd"
NAME = "instagram-alice.own-2026-08-11-Zzt7gCja"
LISTS = f"/{NAME}/connections/followers_and_following"


@pytest.fixture
def destination(settings, tmp_path) -> None:
    """The switch is on, and files wait in a folder of the test's own."""
    settings.THREADSITE_HOME = tmp_path
    settings.TRANSFER_DESTINATION = True


@pytest.fixture
def personal(alice) -> LinkedAccount:
    account: LinkedAccount = LinkedAccountFactory(owner=alice, kind="archive", username="alice.own")
    consent(account, Scope.PROFILE, Scope.FOLLOWERS)
    return account


@pytest.fixture
def token(alice) -> str:
    return issue_token(user=alice, scopes=["followers:write"])


def described(folder: str, name: str, kind: str = "BlobbyFileData") -> dict[str, Any]:
    if kind == "File":
        payload: dict[str, Any] = {"@type": kind, "folder": folder, "name": name}
    else:
        document = {"name": name, "dateModified": "2026-08-11", "encodingFormat": "x/y"}
        payload = {"@type": kind, "folder": folder, "document": document}
    return {
        "@type": "GenericPayload",
        "schemaSource": ".../BlobbySerializer.java",
        "apiVersion": "0.1.0",
        "payload": payload,
    }


def related(description: Any, content: bytes) -> bytes:
    head = json.dumps(description).encode()
    line = f"--{BOUNDARY}\r\n".encode()
    return b"".join(
        [
            *(line, b"Content-Type: application/json\r\n"),
            f"Content-Length: {len(head)}\r\n\r\n".encode() + head + b"\r\n",
            *(line, b"Content-Type: application/octet-stream\r\n\r\n", content),
            f"\r\n--{BOUNDARY}--\r\n".encode(),
        ]
    )


def post(client, body: bytes, token: str | None, kind: str = "multipart/related", **headers):
    if kind == "multipart/related":
        kind += f"; boundary={BOUNDARY}"
    if token:
        headers["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client.post("/transfer/blobs", body, content_type=kind, **headers)


def push(client, token, folder: str, name: str, content: bytes, kind: str = "BlobbyFileData"):
    return post(client, related(described(folder, name, kind), content), token)


def refusal(response, status: int, error: str) -> None:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert body["error"] == error
    assert body["error_description"]


def parts(people: dict[str, int] = PEOPLE, per_part: int = 15) -> dict[str, bytes]:
    export = Export(people, following=population(12, seed=4), per_part=per_part)
    return {path.rpartition("/")[2]: data for path, data in export.files().items()}
