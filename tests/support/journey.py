"""What a person does in the browser to link an account: tick, go to Instagram, come back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from accounts.scopes import Scope
from accounts.services import consent
from tests.support.sandbox import Sandbox


def tick(client: Client, *scopes: Scope, path: str = "/link/") -> str:
    """Tick `scopes` on the consent page and go on; answers Instagram's address."""
    shown = {f"hash_{scope}": consent.current_text(scope, "en").hash for scope in scopes}
    answer = client.post(path, {"scopes": [str(scope) for scope in scopes], **shown})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def come_back(client: Client, location: str) -> Any:
    """Follow Instagram's redirect to our callback, as the browser does: without the fragment."""
    parts = urlsplit(location)
    return client.get(f"{parts.path}?{parts.query}", follow=False)


def link(
    client: Client,
    sandbox: Sandbox,
    persona: str,
    *scopes: Scope,
    permissions: Iterable[str] | None = None,
    decision: str = "allow",
    path: str = "/link/",
) -> Any:
    """The whole round; answers the response of our callback."""
    url = tick(client, *scopes, path=path)
    return come_back(client, sandbox.authorize(url, persona, permissions, decision))


def asked(url: str) -> set[str]:
    """The permissions that Instagram's page is asked to show."""
    return set(parse_qs(urlsplit(url).query)["scope"][0].split(","))
