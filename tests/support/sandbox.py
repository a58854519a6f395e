"""The sandbox Instagram for tests: a real server on a free port, fresh for each test.

The only stand-in for Instagram there is; everything goes over HTTP, as in life.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from accounts.instagram.sandbox.server import ThreadedServer
from accounts.instagram.sandbox.world import Config, World

CLIENT_ID = "1234567890123456"
CLIENT_SECRET = "sandbox-client-secret"
WEBHOOK_VERIFY_TOKEN = "sandbox-verify-token"
REDIRECT_URI = "http://testserver/auth/instagram/login/callback/"
BASIC = "instagram_business_basic"
INSIGHTS = "instagram_business_manage_insights"


class Refused(Exception):
    """A control route said no."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Sandbox:
    """The control routes as methods; ids are strings of digits."""

    def __init__(self, base_url: str, site_url: str) -> None:
        self.base_url = base_url
        self.site_url = site_url
        self.http = urllib3.PoolManager(retries=False, timeout=30, maxsize=4)

    def call(self, method: str, route: str, body: Any = None) -> Any:
        """Any control route: `call("PUT", "limits/", {"calls_per_hour": 200})`."""
        answer = self.http.request(
            method,
            f"{self.base_url}/_sandbox/{route}",
            body=None if body is None else json.dumps(body).encode(),
        )
        document = json.loads(answer.data)
        if answer.status >= 400:
            raise Refused(answer.status, document)
        return document

    def accounts(self) -> list[dict[str, Any]]:
        return list(self.call("GET", "accounts/"))

    def id_of(self, username: str) -> str:
        return next(str(each["id"]) for each in self.accounts() if each["username"] == username)

    def persona(self, username: str, followers: int = 100, **more: Any) -> str:
        """Makes one and answers its id; `shared_with`, `shared`, `offset` are possible too."""
        body = {"username": username, "followers": followers, **more}
        return str(self.call("POST", "accounts/", body)["id"])

    def true_list(self, account_id: str) -> list[dict[str, Any]]:
        """`[{"id", "username", "followed_at"}]`, newest first: what we must have in the end."""
        return list(self.call("GET", f"accounts/{account_id}/followers/")["followers"])

    def change(self, account_id: str, **wanted: int | list[str]) -> dict[str, list[str]]:
        """`change(id, follow=3, leave=["1784…"])`; `return_` since `return` is Python's."""
        body = {verb.rstrip("_"): amount for verb, amount in wanted.items()}
        return dict(self.call("POST", f"accounts/{account_id}/change/", body))

    def rename(self, account_id: str, person: str, username: str) -> None:
        self.call(
            "POST", f"accounts/{account_id}/rename/", {"person": person, "username": username}
        )

    def faults(self, account_id: str | None = None, /, **values: Any) -> None:
        """Replaces the site's, or an account's over them; without any, clears them.

        Names and values: `accounts.instagram.sandbox.fault_kinds`.
        """
        route = "faults/" if account_id is None else f"accounts/{account_id}/faults/"
        self.call("PUT" if values else "DELETE", route, values or None)

    def script(
        self, answers: list[dict[str, Any]], account: str | None = None, route: str | None = None
    ) -> None:
        """`[{"error": "190_463_expired"}, {"fault": "empty_page"}, {"change": {…}}, {}]`."""
        self.call("PUT", "script/", {"account": account, "route": route, "answers": answers})

    def life(self, per_minute: float) -> None:
        self.call("PUT", "life/", {"per_minute": per_minute})

    def shape(self, **shapes: str) -> None:
        """token: live_flat, docs_data_array, app_scoped_big_int, no_permissions;
        profile: flat, docs_data_array."""
        self.call("PUT", "shape/", shapes)

    def limit(self, calls_per_hour: int | None) -> None:
        self.call("PUT", "limits/", {"calls_per_hour": calls_per_hour})

    def advance(self, seconds: float) -> None:
        self.call("PUT", "clock/", {"advance_seconds": seconds})

    def relax_refresh(self) -> None:
        """A token may be refreshed at once, not only after 24 hours."""
        self.call("PUT", "rules/", {"refresh_after_seconds": 0})

    def revoke(self, account_id: str, reason: str = "190_458_app_removed") -> None:
        self.call("POST", f"accounts/{account_id}/revoke/", {"reason": reason})

    def tokens(self) -> list[dict[str, Any]]:
        """Every code and token it ever issued; the secret itself is in `value`."""
        return list(self.call("GET", "tokens/"))

    def requests(self) -> list[dict[str, Any]]:
        return list(self.call("GET", "requests/"))

    def count(self, route: str, account_id: str | None = None) -> int:
        """Calls of a route since the last clearing."""
        return sum(
            each["count"]
            for each in self.requests()
            if each["route"] == route and account_id in (None, each["account"])
        )

    def clear_requests(self) -> None:
        self.call("DELETE", "requests/")

    def send(self, account_id: str, callback: str, client: Any = None, **more: Any) -> Any:
        """Signs a callback and delivers it: through Django's test client, or to `site_url`.

        `more`: secret, shape, id ("professional"), issued_at, padded. Answers the client's
        response, or `{"status", "body"}` of the site.
        """
        body = {"callback": callback, **more}
        route = f"accounts/{account_id}/send/"
        if client is None:
            return self.call("POST", route, body)
        made = self.call("POST", route, {**body, "deliver": False})
        if made["method"] == "GET":
            return client.get(made["path"])
        content_type = made["headers"].pop("Content-Type")
        return client.post(
            made["path"], data=made["body"], content_type=content_type, headers=made["headers"]
        )

    def authorize(
        self,
        url: str,
        persona: str,
        permissions: Iterable[str] | None = None,
        decision: str = "allow",
    ) -> str:
        """What a person's click on the page at `url` does; answers where it leads back to.

        `permissions`: those left ticked; None leaves all that were asked for.
        """
        asked = parse_qs(urlsplit(url).query).get("scope", [""])[0].replace(",", " ").split()
        fields = [("persona", persona), ("decision", decision)]
        fields += [("permission", name) for name in (asked if permissions is None else permissions)]
        answer = self.http.request(
            "POST",
            url,
            body=urlencode(fields),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            redirect=False,
        )
        if answer.status != 302:
            raise Refused(answer.status, answer.data.decode())
        return str(answer.headers["Location"])

    def code(self, persona: str, permissions: Iterable[str] = (BASIC, INSIGHTS)) -> str:
        """A code as the member's browser would bring it, for REDIRECT_URI."""
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": ",".join(permissions),
        }
        location = self.authorize(f"{self.base_url}/oauth/authorize?{urlencode(query)}", persona)
        return parse_qs(urlsplit(location).query)["code"][0]


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[ThreadedServer]:
    config = Config(CLIENT_ID, CLIENT_SECRET, webhook_verify_token=WEBHOOK_VERIFY_TOKEN)
    with ThreadedServer(World(config)) as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: ThreadedServer, settings: Any) -> Sandbox:
    """Reset to seed 1 with the five personae; the settings point at it."""
    client = Sandbox(sandbox_server.base_url, "http://127.0.0.1:8000")
    client.call("POST", "reset/", {"seed": 1})
    settings.INSTAGRAM_OAUTH_URL = client.base_url
    settings.INSTAGRAM_API_URL = client.base_url
    settings.INSTAGRAM_GRAPH_URL = client.base_url
    settings.INSTAGRAM_FOLLOWERS_EDGE = "followers"
    settings.INSTAGRAM_CLIENT_ID = CLIENT_ID
    settings.INSTAGRAM_CLIENT_SECRET = CLIENT_SECRET
    settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN = WEBHOOK_VERIFY_TOKEN
    return client
