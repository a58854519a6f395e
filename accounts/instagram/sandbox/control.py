"""The sandbox's control API under `/_sandbox/`, for this host only: accounts, faults, clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from accounts.instagram.sandbox import callbacks, inputs
from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.fault_kinds import Value
from accounts.instagram.sandbox.messages import Answer, BadRequest, Request, Response, as_json
from accounts.instagram.sandbox.world import World


class Control:
    def __init__(self, world: World) -> None:
        self.world = world
        self._routes: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "accounts"): lambda _: self._list(),
            ("POST", "accounts"): self._add,
            ("PUT", "life"): self._life,
            ("GET", "life"): lambda _: {"per_minute": world.life.per_minute},
            ("PUT", "faults"): self._set_faults,
            ("GET", "faults"): lambda _: self.world.faults.site.values,
            ("DELETE", "faults"): lambda _: self._set_faults({}),
            ("GET", "tokens"): lambda _: world.oauth.everything(),
            ("GET", "requests"): lambda _: self._requests(),
            ("DELETE", "requests"): lambda _: self._clear_requests(),
            ("PUT", "script"): self._script,
            ("DELETE", "script"): lambda _: self._clear_script(),
            ("PUT", "shape"): self._shape,
            ("PUT", "limits"): self._limits,
            ("PUT", "rules"): self._rules,
            ("PUT", "clock"): self._clock,
            ("POST", "reset"): self._reset,
            ("PUT", "site"): self._site,
        }
        self._of_account: dict[tuple[str, str], Callable[[Account, dict[str, Any]], Any]] = {
            ("GET", "followers"): lambda account, _: {"followers": account.true_list()},
            ("POST", "change"): self._change,
            ("POST", "rename"): self._rename,
            ("POST", "revoke"): self._revoke,
            ("POST", "send"): self._send,
            ("GET", "faults"): lambda account, _: self._faults_of(account),
            ("PUT", "faults"): self._set_faults_of,
            ("DELETE", "faults"): lambda account, _: self._clear_faults_of(account),
        }

    def handle(self, request: Request) -> Answer:
        if not request.local:
            raise BadRequest("only this host may ask", 403)
        names = request.path.strip("/").split("/")[1:]
        if len(names) == 3 and names[0] == "accounts":
            action = self._of_account.get((request.method, names[2]))
            if action is None:
                raise BadRequest("no such route", 404)
            result = action(self.world.account(names[1]), _body(request))
        else:
            route = self._routes.get((request.method, "/".join(names)))
            if route is None:
                raise BadRequest("no such route", 404)
            result = route(_body(request))
        return result if isinstance(result, (Response, Awaitable)) else as_json(result)

    def _list(self) -> list[dict[str, Any]]:
        accounts = [self.world.account(account_id) for account_id in self.world.accounts]
        return [_described(account) for account in accounts]

    def _add(self, body: dict[str, Any]) -> Response:
        inputs.only(body, "username", "followers", "shared_with", "shared", "offset")
        username = inputs.username(body.get("username"))
        followers = inputs.count(body, "followers")
        shared: list[int] = []
        if inputs.count(body, "shared"):
            other = self.world.account(str(body.get("shared_with", "")))
            shared = inputs.shared(body, other, followers)
        account = self.world.add(username, followers, shared, inputs.offset(body))
        account.followers.render()
        return as_json(_described(account), 201)

    def _change(self, account: Account, body: dict[str, Any]) -> dict[str, Any]:
        wanted = inputs.changes(body, account)
        done = self.world.life.change(account, wanted, self.world.microseconds())
        return self.world.life.ids(done)

    def _rename(self, account: Account, body: dict[str, Any]) -> dict[str, str]:
        """Rename one person, for example to a name that another person gave up."""
        number = inputs.person(body.get("person"), account)
        username = inputs.username(body.get("username"))
        self.world.life.rename(number, username, self.world.microseconds())
        return {"id": str(self.world.people.id_of(number)), "username": str(body["username"])}

    def _revoke(self, account: Account, body: dict[str, Any]) -> dict[str, int]:
        """Revoke the tokens: the person removed the app, or another reason by name."""
        reason = inputs.envelope(body.get("reason", "190_458_app_removed"))
        return {"revoked": self.world.oauth.revoke(account.id, reason)}

    def _send(self, account: Account, body: dict[str, Any]) -> Any:
        """`deliver: false` returns the signed request itself, for a client without a server."""
        callback = callbacks.make_callback(self.world, account, body)
        if body.get("deliver") is False:
            return {
                "method": callback.method,
                "path": callback.path,
                "headers": callback.headers,
                "body": callback.body.decode(),
            }
        return self._deliver(callback)

    async def _deliver(self, callback: callbacks.Callback) -> Response:
        """In a thread: the site may ask the sandbox something before it answers."""
        site_url = self.world.config.site_url
        status, text = await asyncio.to_thread(callbacks.send, site_url, callback)
        return as_json({"status": status, "body": text})

    def _life(self, body: dict[str, Any]) -> dict[str, float]:
        rate = inputs.number(body, "per_minute", 0, 100_000)
        self.world.life.set_rate(rate, self.world.microseconds())
        return {"per_minute": rate}

    def _set_faults(self, body: dict[str, Any]) -> dict[str, Value]:
        values = self.world.faults.set(body, self.world.microseconds())
        for account in self.world.accounts.values():
            self._end_cut(account)
        return values

    def _faults_of(self, account: Account) -> dict[str, Value]:
        """The faults set for this account only."""
        own = self.world.faults.accounts.get(account.id)
        return {} if own is None else own.values

    def _set_faults_of(self, account: Account, body: dict[str, Any]) -> dict[str, Value]:
        values = self.world.faults.set_for(account, body, self.world.microseconds())
        self._end_cut(account)
        return values

    def _clear_faults_of(self, account: Account) -> dict[str, Value]:
        values = self.world.faults.clear_for(account)
        self._end_cut(account)
        return values

    def _end_cut(self, account: Account) -> None:
        """A list stays cut over many scans, but not once the fault is removed."""
        if not self.world.faults.of(account).value("cut_list", float):
            account.cut = None

    def _requests(self) -> list[dict[str, Any]]:
        return [
            {
                "account": account,
                "route": route,
                "count": count,
                "fields": sorted(self.world.requested.get((account, route), ())),
            }
            for (account, route), count in self.world.requests.items()
        ]

    def _clear_requests(self) -> list[dict[str, Any]]:
        self.world.requests.clear()
        self.world.requested.clear()
        return []

    def _clear_script(self) -> dict[str, int]:
        self.world.script.answers.clear()
        return {"left": 0}

    def _script(self, body: dict[str, Any]) -> dict[str, int]:
        self.world.script.answers.extend(inputs.script(body, self.world))
        return {"left": len(self.world.script.answers)}

    def _shape(self, body: dict[str, Any]) -> dict[str, str]:
        self.world.shapes.update(inputs.shapes(body))
        return {kind: self.world.shape(kind) for kind in ("token", "profile")}

    def _limits(self, body: dict[str, Any]) -> dict[str, int | None]:
        limit = None if body.get("calls_per_hour") is None else inputs.count(body, "calls_per_hour")
        self.world.calls_per_hour = limit
        self.world.calls.clear()
        return {"calls_per_hour": limit}

    def _rules(self, body: dict[str, Any]) -> dict[str, float]:
        seconds = inputs.number(body, "refresh_after_seconds", 0, 10**9)
        self.world.oauth.refresh_after = seconds
        return {"refresh_after_seconds": seconds}

    def _clock(self, body: dict[str, Any]) -> dict[str, float]:
        """Skips ahead; time never runs backwards."""
        self.world.skipped += inputs.number(body, "advance_seconds", 0, 10**9)
        return {"now": self.world.now()}

    def _reset(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        self.world.reset(inputs.count(body, "seed"), personae=inputs.personae(body))
        return self._list()

    def _site(self, body: dict[str, Any]) -> dict[str, str]:
        self.world.config.site_url = inputs.url(body.get("url"))
        return {"url": self.world.config.site_url}


def _described(account: Account) -> dict[str, Any]:
    return {"id": account.id, "username": account.username, "followers": account.shown}


def _body(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    try:
        document = json.loads(request.body)
    except ValueError:
        raise BadRequest("the body is no JSON") from None
    if not isinstance(document, dict):
        raise BadRequest("the body must be a JSON object")
    return document
