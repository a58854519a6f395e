"""The sandbox's callbacks: signed webhooks, deauthorizations and data deletions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.messages import BadRequest
from accounts.instagram.sandbox.world import World
from accounts.instagram.signatures import make_signed_request, webhook_signature

PATHS: Final = {
    "webhook": "/instagram/webhook/",
    "webhook_verification": "/instagram/webhook/",
    "deauthorize": "/instagram/deauthorize/",
    "data_deletion": "/instagram/data-deletion/",
}
CHALLENGE: Final = "1158201444"
TIMEOUT: Final = 20.0


@dataclass(frozen=True)
class Callback:
    method: str
    path: str
    body: bytes
    headers: dict[str, str]


def make_callback(world: World, account: Account, wanted: dict[str, Any]) -> Callback:
    """`wanted`: callback, and for tests: secret, shape, id (app_scoped or professional),
    issued_at, padded, body. Deauthorizing ends the account's tokens, as at Instagram."""
    kind = wanted.get("callback")
    if kind not in PATHS:
        raise BadRequest(f"callback must be one of: {', '.join(PATHS)}")
    if kind == "webhook_verification":
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": CHALLENGE,
            "hub.verify_token": str(wanted.get("verify_token", world.config.webhook_verify_token)),
        }
        return Callback("GET", f"{PATHS[kind]}?{urlencode(query)}", b"", {})
    secret = str(wanted.get("secret", world.config.client_secret))
    if kind == "webhook":
        body = _webhook_body(world, account, wanted)
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": webhook_signature(body, secret),
        }
        return Callback("POST", PATHS[kind], body, headers)
    world.oauth.revoke(account.id)
    form = _signed_form(world, account, wanted, secret)
    return Callback(
        "POST", PATHS[kind], form, {"Content-Type": "application/x-www-form-urlencoded"}
    )


def _signed_form(world: World, account: Account, wanted: dict[str, Any], secret: str) -> bytes:
    """It is not documented which of two ids Instagram sends: app-scoped by default."""
    professional = wanted.get("id") == "professional"
    payload = {
        "issued_at": wanted.get("issued_at", int(world.now())),
        "user_id": account.id if professional else account.app_scoped_id,
    }
    signed = make_signed_request(payload, secret, padded=bool(wanted.get("padded")))
    return urlencode({"signed_request": signed}).encode()


def _webhook_body(world: World, account: Account, wanted: dict[str, Any]) -> bytes:
    """Signed as sent: with escaped unicode."""
    if "body" in wanted:
        return json.dumps(wanted["body"]).encode()
    value = {
        "id": f"1787{int(world.now() * 1000) % 10**13:013}",
        "from": {"id": "5005005005005005", "username": "peter_chang_live"},
        "text": "Très bien!",
        "media": {"id": "17918195224117851", "media_product_type": "FEED"},
    }
    content = {"field": "comments", "value": value}
    entry: dict[str, Any] = {"id": account.id, "time": int(world.now())}
    shape = wanted.get("shape", "instagram_login")
    if shape == "changes":
        entry["changes"] = [content]
    elif shape == "messages":
        entry["messaging"] = [
            {
                "sender": {"id": "5005005005005005"},
                "recipient": {"id": account.id},
                "timestamp": int(world.now() * 1000),
                "message": {"mid": value["id"], "text": "hi"},
            }
        ]
    elif shape == "instagram_login":
        entry |= content
    else:
        raise BadRequest("shape must be instagram_login, changes or messages")
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def send(site_url: str, callback: Callback) -> tuple[int, str]:
    """(status, body) of the site; 502 and the reason if there is no site."""
    parts = urlsplit(site_url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT)
    try:
        target = parts.path.rstrip("/") + callback.path
        connection.request(callback.method, target, callback.body or None, callback.headers)
        answer = connection.getresponse()
        return answer.status, answer.read(1 << 20).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        return 502, f"the site did not answer: {type(error).__name__}"
    finally:
        connection.close()
