"""The sandbox's Graph API: routes that take a token."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from accounts.instagram.sandbox import documented, insights
from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.envelopes import refusal
from accounts.instagram.sandbox.fault_kinds import INSTEAD
from accounts.instagram.sandbox.faults import ActiveFaults, truncate, wrong_shape
from accounts.instagram.sandbox.life import VERBS
from accounts.instagram.sandbox.lister import Page, read_page
from accounts.instagram.sandbox.messages import Request, Response, as_json
from accounts.instagram.sandbox.oauth import BASIC, INSIGHTS, Token
from accounts.instagram.sandbox.showing import stated_count
from accounts.instagram.sandbox.world import World

VERSION: Final = re.compile(r"^/v\d+\.\d+(?=/)")
MAX_LIMIT: Final = 1000
DEFAULT_LIMIT: Final = 25
USAGE: Final = {"total_time": 1, "total_cputime": 1}


class Graph:
    def __init__(self, world: World) -> None:
        self.world = world

    def handle(self, request: Request) -> Response:
        path = VERSION.sub("", request.path).rstrip("/")
        route = self._route(request.method, path)
        token = self.world.oauth.accept(self._token_of(request))
        account_id = token.account_id if isinstance(token, Token) else None
        self.world.requests[account_id, route] += 1
        wanted = request.get("fields") or request.get("metric")
        if wanted:
            self.world.requested.setdefault((account_id, route), set()).add(wanted)
        if isinstance(token, Response):
            return token
        account = self.world.account(token.account_id)
        return self._answer(request, path, route, token, account)

    def _answer(
        self, request: Request, path: str, route: str, token: Token, account: Account
    ) -> Response:
        self.world.count_call(account.id)
        scripted = self.world.script.take(account.id, route)
        trouble = self.world.faults.of(account)
        response = self._scripted(scripted, account) if scripted else self._throttled(account)
        response = response or trouble.instead()
        if response is None:
            fault = str(scripted.get("fault", "")) if scripted else ""
            response = self._true(request, path, route, token, account, fault)
            response = trouble.apply_transport_faults(response)
            if fault == "truncated_json":
                truncate(response, trouble.rng)
            response.dropped |= fault == "dropped"
            response.delay = max(response.delay, 1.0 if fault == "slow" else 0.0)
        self._add_usage(response, account)
        return response

    def _scripted(self, answer: dict[str, Any], account: Account) -> Response | None:
        """None if the true answer follows (after a change, or with a fault of rows)."""
        if "change" in answer:
            wanted = {verb: answer["change"].get(verb, 0) for verb in VERBS}
            self.world.life.change(account, wanted, self.world.microseconds())
        if "error" in answer:
            response = refusal(answer["error"])
            response.status = answer.get("status", response.status)
        elif answer.get("fault") in INSTEAD:
            response = self.world.faults.of(account).make(answer["fault"])
        elif "body" in answer:
            body = answer["body"]
            text = body if isinstance(body, str) else json.dumps(body)
            # A script is JSON and holds no bytes: "\udcff" in it means 0xff.
            raw = text.encode(errors="surrogateescape")
            response = Response(answer.get("status", 200), raw)
        else:
            return None
        response.headers.update(answer.get("headers", {}))
        return response

    def _throttled(self, account: Account) -> Response | None:
        _percent, minutes = self.world.used_percent(account.id)
        return refusal("80002_instagram_buc") if minutes else None

    def _true(
        self, request: Request, path: str, route: str, token: Token, account: Account, fault: str
    ) -> Response:
        if route == "me":
            return self._me(request, account, drift=fault == "count_drift")
        if route == "followers":
            return self._followers(request, path, token, account, fault)
        if route == "refresh":
            return self._token_answer(self.world.oauth.refresh(token))
        if route == "long_lived":
            return self._long_lived(request, token)
        if route == "insights":
            if INSIGHTS not in token.permissions:
                return refusal("200_permission")
            return insights.answer(request, account, self.world.microseconds())
        if route == "subscribed_apps":
            return self._subscribed_apps(request, account)
        if route == "permissions":
            self.world.oauth.revoke(account.id)
            return as_json({"success": True})
        return documented.answer(request, path, account) or refusal("airbyte_100_33")

    def _me(self, request: Request, account: Account, *, drift: bool) -> Response:
        fields = (request.get("fields") or "id,username").split(",")
        document = {k: v for k, v in self._profile(account).items() if k in fields}
        if "followers_count" in document:
            trouble = self.world.faults.of(account)
            count = stated_count(account, trouble, self.world.microseconds())
            if drift or trouble.strikes("count_drift"):
                spread = max(count // 5, 5)
                count = max(count + trouble.rng.randint(-spread, spread), 0)
            document["followers_count"] = count
        if self.world.shape("profile") == "docs_data_array":
            return as_json({"data": [document]})
        return as_json(document)

    def _profile(self, account: Account) -> dict[str, Any]:
        return {
            "id": account.app_scoped_id,
            "user_id": account.id,
            "username": account.username,
            "name": account.username.capitalize(),
            "account_type": "BUSINESS",
            "profile_picture_url": "https://scontent.example.invalid/v/t51.jpg",
            "followers_count": account.followers_count,
            "follows_count": account.follows_count,
            "media_count": account.media_count,
        }

    def _followers(
        self, request: Request, path: str, token: Token, account: Account, fault: str
    ) -> Response:
        """Newest first, unless a fault orders it otherwise."""
        if path.split("/")[1] not in ("me", account.id, account.app_scoped_id):
            return refusal("airbyte_100_33")
        if BASIC not in token.permissions:
            return refusal("airbyte_10")
        limit, after = request.get("limit") or str(DEFAULT_LIMIT), request.get("after") or ""
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MAX_LIMIT):
            return refusal("100_parameter", f"(#100) limit must be from 1 to {MAX_LIMIT}")
        trouble = self.world.faults.of(account)
        page = read_page(
            account,
            trouble,
            limit=int(limit),
            after=after,
            fault=fault,
            now=self.world.microseconds(),
        )
        return page if isinstance(page, Response) else self._sent(request, page, trouble, fault)

    def _sent(self, request: Request, page: Page, trouble: ActiveFaults, fault: str) -> Response:
        if trouble.strikes("wrong_shape") or fault == "wrong_shape":
            return Response(200, wrong_shape(trouble.rng))
        body, after = page.body, page.after
        if fault == "empty_page" or trouble.strikes("empty_page"):
            # Both were seen: an empty page that is an end, and one that has a `next`.
            body, after = b"", after if trouble.rng.random() < 0.5 else None
        body = trouble.rows(body, fault)
        if "username" not in (request.get("fields") or "id"):
            body = re.sub(rb',"username":"[^"]*"', b"", body)
        return Response(200, b"".join(_document(request, body, page.before, after)))

    def _long_lived(self, request: Request, token: Token) -> Response:
        if request.get("grant_type") != "ig_exchange_token":
            return refusal("100_parameter", "Unsupported grant_type")
        if request.get("client_secret") != self.world.config.client_secret:
            return refusal("1_unknown", "Error validating client secret.")
        if token.kind != "short":
            return refusal(
                "190_no_subcode_expired",
                "Session key invalid. This could be because"
                " the session key has an incorrect format",
            )
        return self._token_answer(self.world.oauth.lengthen(token))

    def _token_answer(self, issued: Token | Response) -> Response:
        if isinstance(issued, Response):
            return issued
        life = int(issued.expires_at - issued.issued_at)
        return as_json({"access_token": issued.value, "token_type": "bearer", "expires_in": life})

    def _subscribed_apps(self, request: Request, account: Account) -> Response:
        if request.method == "DELETE":
            self.world.subscribed.pop(account.id, None)
        elif request.method == "POST":
            given = request.form().get("subscribed_fields") or request.query.get(
                "subscribed_fields"
            )
            self.world.subscribed[account.id] = ",".join(given or []).split(",")
        return as_json({"success": True})

    def _add_usage(self, response: Response, account: Account) -> None:
        percent, minutes = self.world.used_percent(account.id)
        app = {"call_count": min(percent, 99), **USAGE}
        business = {
            "type": "instagram",
            "call_count": percent,
            **USAGE,
            "estimated_time_to_regain_access": minutes,
        }
        response.headers.setdefault("X-App-Usage", json.dumps(app))
        response.headers.setdefault(
            "X-Business-Use-Case-Usage", json.dumps({account.id: [business]})
        )

    def _token_of(self, request: Request) -> str | None:
        given = request.get("access_token")
        if given is None and request.body:
            given = next(iter(request.form().get("access_token", [])), None)
        return given

    def _route(self, method: str, path: str) -> str:
        last = path.rpartition("/")[2]
        if path in ("/access_token", "/refresh_access_token"):
            return "long_lived" if path == "/access_token" else "refresh"
        if last == "permissions" and method != "DELETE":
            return "node"
        named = ("me", "followers", "insights", "subscribed_apps", "permissions", "media")
        return last if last in named else "node"


def _document(request: Request, rows: bytes, before: str, after: str | None) -> list[bytes]:
    """Assembled from bytes: the rows are rendered already, about sixty thousand bytes a page."""
    parts = [b'{"data":[', rows[:-1], b"]"]
    if rows or after is not None:
        cursors = {"before": before, "after": after or before}
        parts += [b',"paging":{"cursors":', json.dumps(cursors).encode()]
        if after is not None:
            # `next` carries the token, which is why it must not be stored.
            link = (
                f"https://graph.instagram.com{request.path}?access_token={request.get('access_token')}"
                f"&fields=id%2Cusername&limit={request.get('limit') or DEFAULT_LIMIT}&after={after}"
            )
            parts += [b',"next":', json.dumps(link).encode()]
        parts.append(b"}")
    return [*parts, b"}"]
