"""The sandbox's OAuth dialog: authorization page and code exchange."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.envelopes import oauth_refusal
from accounts.instagram.sandbox.messages import BadRequest, Request, Response, as_json
from accounts.instagram.sandbox.oauth import BASIC, PERMISSIONS, Token
from accounts.instagram.sandbox.world import World

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#fafafa;color:#111}
main{max-width:26rem;margin:3rem auto;padding:2rem;background:#fff;border:1px solid #ddd;
border-radius:12px}
h1{font-size:1.25rem;margin:0 0 1rem}fieldset{border:0;padding:0;margin:0 0 1.25rem}
legend{font-weight:600}label{display:block;padding:.25rem 0}small{color:#666}
button{font:inherit;padding:.6rem 1.2rem;border-radius:8px;border:1px solid #bbb;background:#fff}
button[value=allow]{background:#0064d1;border-color:#0064d1;color:#fff}
"""


class Dialog:
    def __init__(self, world: World) -> None:
        self.world = world

    def authorize(self, request: Request) -> Response:
        """GET shows the page; POST does what its buttons do."""
        refused = self._refuse(request)
        if refused is not None:
            return _page("Sorry, this page isn't available", f"<p>{escape(refused)}</p>", 400)
        if request.method == "GET":
            return self._show(request)
        form = request.form()
        account = self.world.persona(_one(form, "persona"))
        decision = _one(form, "decision")
        if decision not in ("allow", "deny"):
            raise BadRequest("decision must be allow or deny")
        ticked = form.get("permission", [])
        unknown = set(ticked) - set(PERMISSIONS)
        if unknown:
            raise BadRequest(f"unknown permission: {', '.join(sorted(unknown))}")
        self.world.requests[account.id, "authorize"] += 1
        # Only requested permissions can be granted; a script may tick all there are.
        asked = self._asked(request)
        given = [name for name in ticked if name in asked]
        return self._decide(request, account, decision, given)

    def _refuse(self, request: Request) -> str | None:
        redirect = urlsplit(request.get("redirect_uri") or "")
        if request.get("client_id") != self.world.config.client_id:
            return "Invalid platform app: the client_id is unknown."
        if redirect.scheme not in ("http", "https") or not redirect.netloc:
            return "Invalid redirect_uri."
        if request.get("response_type") != "code":
            return "Invalid response_type: only code is supported."
        asked = set(self._asked(request))
        if not asked or not asked <= set(PERMISSIONS):
            return f"Invalid scope: {', '.join(sorted(asked - set(PERMISSIONS))) or 'none given'}."
        if request.method not in ("GET", "POST"):
            return "Only GET and POST."
        return None

    def _asked(self, request: Request) -> list[str]:
        """Separated by commas or by spaces: both are documented."""
        return (request.get("scope") or "").replace(",", " ").split()

    def _decide(
        self, request: Request, account: Account, decision: str, permissions: list[str]
    ) -> Response:
        redirect_uri = request.get("redirect_uri") or ""
        back: dict[str, Any]
        if decision == "allow":
            code = self.world.oauth.issue_code(account, redirect_uri, permissions)
            back = {"code": code}
        else:
            back = {
                "error": "access_denied",
                "error_reason": "user_denied",
                "error_description": "The user denied your request",
            }
        state = request.get("state")
        if state is not None:
            back["state"] = state
        glue = "&" if urlsplit(redirect_uri).query else "?"
        fragment = "#_" if decision == "allow" else ""
        location = f"{redirect_uri}{glue}{urlencode(back)}{fragment}"
        return Response(302, b"", {"Location": location}, "text/html; charset=utf-8")

    def _show(self, request: Request) -> Response:
        personae = "".join(
            f'<label><input type="radio" name="persona" value="{escape(account.username)}"'
            f"{' checked' if place == 0 else ''} required> {escape(account.username)}"
            f" <small>{account.shown:,} followers</small></label>"
            for place, account in enumerate(self.world.accounts.values())
        )
        permissions = "".join(
            f'<label><input type="checkbox" name="permission" value="{name}" checked> {name}'
            f"{' <small>(always given)</small>' if name == BASIC else ''}</label>"
            for name in self._asked(request)
        )
        body = (
            "<p><small>A stand-in for Instagram, for trying things out.</small></p>"
            '<form method="post">'
            f"<fieldset><legend>Log in as</legend>{personae}</fieldset>"
            f"<fieldset><legend>Allow</legend>{permissions}</fieldset>"
            '<button name="decision" value="allow">Allow</button> '
            '<button name="decision" value="deny">Cancel</button></form>'
        )
        return _page("Threadsite wants to use your Instagram account", body)

    def exchange(self, request: Request) -> Response:
        """Exchange a code for a token of one hour."""
        form, config = request.form(), self.world.config
        self.world.requests[None, "exchange_code"] += 1
        scripted = self.world.script.take(None, "exchange_code")
        if scripted is not None and "body" in scripted:
            return as_json(scripted["body"], scripted.get("status", 200), scripted.get("headers"))
        if request.method != "POST":
            return oauth_refusal("This endpoint only supports POST")
        if (_one(form, "client_id"), _one(form, "client_secret")) != (
            config.client_id,
            config.client_secret,
        ):
            return oauth_refusal("Invalid platform app")
        if _one(form, "grant_type") != "authorization_code":
            return oauth_refusal("Invalid grant_type")
        token = self.world.oauth.redeem(_one(form, "code"), _one(form, "redirect_uri"))
        if isinstance(token, str):
            return oauth_refusal(token)
        return as_json(self._shaped(token))

    def _shaped(self, token: Token) -> dict[str, Any]:
        account, shape = self.world.accounts[token.account_id], self.world.shape("token")
        document: dict[str, Any] = {"access_token": token.value}
        if shape == "docs_data_array":
            document |= {"user_id": account.id, "permissions": ",".join(token.permissions)}
            return {"data": [document]}
        app_scoped = shape == "app_scoped_big_int"
        document["user_id"] = int(account.app_scoped_id if app_scoped else account.id)
        if shape != "no_permissions":
            document["permissions"] = list(token.permissions)
        return document


def _one(form: dict[str, list[str]], name: str) -> str:
    return next(iter(form.get(name, [])), "")


def _page(title: str, body: str, status: int = 200) -> Response:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return Response(status, html.encode(), content_type="text/html; charset=utf-8")
