"""A gateway towards the sandbox, with a clock of its own so that no database is needed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts.instagram.gateway import Gateway
from tests.support.sandbox import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Sandbox

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def gateway(sandbox: Sandbox) -> Gateway:
    return Gateway(
        oauth_url=sandbox.base_url,
        api_url=sandbox.base_url,
        graph_url=sandbox.base_url,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        timeout=5.0,
        now=lambda: NOW,
    )


@pytest.fixture
def link(sandbox: Sandbox, gateway: Gateway):
    """link(username) -> (account id, long-lived token)."""

    def make(username: str, **asked: tuple[str, ...]) -> tuple[str, str]:
        short = gateway.exchange_code(sandbox.code(username, **asked), REDIRECT_URI)
        return sandbox.id_of(username), gateway.long_lived(short.access_token).access_token

    return make
