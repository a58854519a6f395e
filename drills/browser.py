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
HIDDEN = re.compile(r"<input[^>]*\btype=\"hidden\"[^>]*\bname=\"(\w+)\"[^>]*\bvalue=\"([^\"]*)\"")


@dataclass(frozen=True)
class Answer:
    """One answer; `location` is empty if it is no redirect."""

    status: int
    location: str
    text: str
    seconds: float = 0.0

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
    cookies: dict[str, str] = field(default_factory=dict)
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
        return self._ask("POST", path, urlencode([token, *pairs]))

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        port = self.ports[self._asked % len(self.ports)]
        self._asked += 1
        headers = {"Host": urlsplit(self.public).netloc, "Origin": self.public}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return Answer(response.status, response.headers.get("Location", ""), text)
