"""Google, as far as a watched Drive needs it: consent, tokens and files, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

FOLDER = "application/vnd.google-apps.folder"
SCOPE = "https://www.googleapis.com/auth/drive.readonly"


class Google:
    """One person's Drive: a folder of this machine, and what is asked of it."""

    def __init__(self, drive: Path) -> None:
        self.drive = drive
        self.scope = SCOPE
        self.refresh_tokens: set[str] = set()
        self.access_tokens: set[str] = set()
        self.revoked: list[str] = []
        self.asked: list[str] = []
        self.page = 2
        self.fail: int | None = None

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return 400, {"error": "invalid_grant"}
            return 200, {"access_token": self._access(), "expires_in": 3599, "scope": self.scope}
        assert form["code_verifier"], "no PKCE"
        refresh = f"1//{secrets.token_hex(8)}"
        self.refresh_tokens.add(refresh)
        answer = {"access_token": self._access(), "refresh_token": refresh, "scope": self.scope}
        return 200, answer

    def revoke(self, token: str) -> tuple[int, dict[str, Any]]:
        self.refresh_tokens.discard(token)
        self.revoked.append(token)
        return 200, {}

    def files(self, asked: dict[str, str]) -> dict[str, Any]:
        """`'<id>' in parents …`, two at a time, so that a list has pages."""
        parent = re.match(r"'([^']*)' in parents", asked["q"])
        assert parent is not None
        inner = "" if parent[1] == "root" else bytes.fromhex(parent[1]).decode()
        place = self.drive / inner
        self.asked.append(str(place.relative_to(self.drive)))
        found = sorted(place.iterdir())
        if "name contains" in asked["q"]:
            found = [each for each in found if each.name.startswith(("meta-", "instagram-"))]
        start = int(asked.get("pageToken", 0))
        end = start + self.page
        answer: dict[str, Any] = {"files": [self._file(each) for each in found[start:end]]}
        if end < len(found):
            answer["nextPageToken"] = str(end)
        return answer

    def content(self, number: str) -> bytes:
        return (self.drive / bytes.fromhex(number).decode()).read_bytes()

    def _access(self) -> str:
        self.access_tokens.add(token := f"ya29.{secrets.token_hex(8)}")
        return token

    def _file(self, path: Path) -> dict[str, Any]:
        number = str(path.relative_to(self.drive)).encode().hex()
        if path.is_dir():
            return {"id": number, "name": path.name, "mimeType": FOLDER}
        data = path.read_bytes()
        return {
            "id": number,
            "name": path.name,
            "mimeType": "application/octet-stream",
            "size": str(len(data)),
            "md5Checksum": hashlib.md5(data).hexdigest(),
            "modifiedTime": "2026-08-11T09:04:51.000Z",
        }


class _Handler(BaseHTTPRequestHandler):
    google: Google

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(size).decode()).items()}
        if self.path == "/revoke":
            self._answer(*self.google.revoke(form["token"]))
        else:
            self._answer(*self.google.token(form))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {k: v[0] for k, v in parse_qs(parts.query).items()}
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.google.fail is not None or bearer not in self.google.access_tokens:
            self._answer(self.google.fail or 401, {"error": {"code": self.google.fail or 401}})
        elif parts.path == "/drive/v3/files":
            self._answer(200, self.google.files(asked))
        else:
            self._answer(200, self.google.content(parts.path.rpartition("/")[2]))

    def _answer(self, status: int, body: dict[str, Any] | bytes) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def google(tmp_path: Path, settings: Any) -> Iterator[Google]:
    """A Google of the test's own, that the settings point to."""
    drive = tmp_path / "drive"
    drive.mkdir()
    google = Google(drive)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"google": google}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    for name in ("GOOGLE_OAUTH_URL", "GOOGLE_TOKEN_URL", "GOOGLE_API_URL"):
        setattr(settings, name, address)
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = "google-id", "google-secret"
    yield google
    server.shutdown()
    server.server_close()
