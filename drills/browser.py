"""A member's browser behind a load balancer: each request goes to the next host in turn."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

#: A person would not wait longer for an answer.
PATIENCE_SECONDS = 20.0
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "1581c5eb-05d0-42fe-bfb3-472151f366cd"
HIDDEN = re.compile(r"<input[^>]*\btype=\"hidden\"[^>]*\bname=\"(\w+)\"[^>]*\bvalue=\"([^\"]*)\"")


@dataclass(frozen=True)
class Answer:
    """One answer; `location` is empty if it is no redirect."""

    status: int
    location: str
    body: bytes
    host: str = ""
    """Which host a balancer says has answered."""

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    def hidden(self, prefix: str) -> dict[str, str]:
        """The hidden fields of the page's forms with this name prefix."""
        found = dict(HIDDEN.findall(self.text))
        return {name: value for name, value in found.items() if name.startswith(prefix)}


@dataclass
class Browser:
    """Keeps cookies. `public` is the site's address, `ports` its hosts' ports."""

    public: str
    ports: Sequence[int]
    address: str = "127.0.0.1"
    patience: float = PATIENCE_SECONDS
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    """Of a program, which has no cookies."""
    _asked: int = 0

    def get(self, path: str) -> Answer:
        """Never follows a redirect."""
        return self._ask("GET", path, None)

    def post(self, path: str, fields: Sequence[tuple[str, str]] | dict[str, str]) -> Answer:
        """Post as the page's form does, with the CSRF token."""
        if "csrftoken" not in self.cookies:
            self.get(path)
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        token = ("csrfmiddlewaretoken", self.cookies.get("csrftoken", ""))
        return self.send(path, urlencode([token, *pairs]).encode(), FORM)

    def upload(self, path: str, field: str, file_name: str, content: bytes) -> Answer:
        """A form with one file; the token against forged requests goes in the header alone."""
        head = f'form-data; name="{field}"; filename="{file_name}"'
        body = b"".join(
            [
                f"--{BOUNDARY}\r\nContent-Disposition: {head}\r\n\r\n".encode(),
                *(content, f"\r\n--{BOUNDARY}--\r\n".encode()),
            ]
        )
        return self.send(path, body, f"multipart/form-data; boundary={BOUNDARY}")

    def send(self, path: str, body: bytes, kind: str) -> Answer:
        """POST something of this content type."""
        return self._ask("POST", path, body, kind)

    def _ask(self, method: str, path: str, body: bytes | None, kind: str = "") -> Answer:
        port = self.ports[self._asked % len(self.ports)]
        self._asked += 1
        headers = {"Host": urlsplit(self.public).netloc, "Origin": self.public}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = kind
        connection = http.client.HTTPConnection(self.address, port, timeout=self.patience)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        told = response.headers
        return Answer(
            response.status, told.get("Location", ""), content, told.get("X-Answered-By", "")
        )
