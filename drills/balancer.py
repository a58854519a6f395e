"""A proxy before several hosts, without stickiness: each request goes to the next one in turn.

What a host does not answer goes to the next one by nginx's rules: any request that could not be
delivered, and of those that were delivered only such as may be repeated. A host that failed is left
alone for ten seconds.
https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

from drills.stage import Host

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 60.0
#: A request that may be repeated waits less: a host without power says nothing at all.
REPEAT_SECONDS: Final = 10.0
LEFT_ALONE_SECONDS: Final = 10.0
REPEATABLE: Final = ("GET", "HEAD")
#: Says which host answered.
NAME: Final = "X-Answered-By"
_OWN: Final = {"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"}


class Balancer:
    """`answered`: by host; `passed_on`, `cut_off`: requests that one host did not answer."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.hosts = hosts
        self.answered: Counter[str] = Counter()
        self.passed_on = 0
        self.cut_off = 0
        self._asked = 0
        self._lock = threading.Lock()
        self._alone_until: dict[str, float] = {}

    @contextmanager
    def serving(self, address: str, port: int) -> Iterator[Balancer]:
        """Answer there for as long as the block runs."""
        handler = type("Handler", (_Handler,), {"balancer": self})
        server = ThreadingHTTPServer((address, port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def turns(self) -> list[Host]:
        """The hosts in the order in which they are asked now."""
        with self._lock:
            self._asked += 1
            first = self._asked % len(self.hosts)
        order = [*self.hosts[first:], *self.hosts[:first]]
        now = time.monotonic()
        well = [host for host in order if self._alone_until.get(host.name, 0.0) <= now]
        return well or order

    def failed(self, host: Host) -> None:
        with self._lock:
            self.passed_on += 1
            self._alone_until[host.name] = time.monotonic() + LEFT_ALONE_SECONDS


class _Handler(BaseHTTPRequestHandler):
    balancer: Balancer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for host in self.balancer.turns():
            place = urlsplit(host.url)
            connection = http.client.HTTPConnection(
                place.hostname or "", place.port, timeout=CONNECT_SECONDS
            )
            delivered = False
            try:
                connection.connect()
                repeatable = self.command in REPEATABLE
                connection.sock.settimeout(REPEAT_SECONDS if repeatable else ANSWER_SECONDS)
                delivered = True
                self._ask(connection, body)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException):
                self.balancer.failed(host)
                if delivered and self.command not in REPEATABLE:
                    break
                continue
            finally:
                connection.close()
            self.balancer.answered[host.name] += 1
            self._answer(response, content, host)
            return
        self.balancer.cut_off += 1
        with suppress(OSError):
            self.send_error(502)

    def _ask(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "x-forwarded-for", "x-forwarded-proto"):
                connection.putheader(name, value)
        connection.putheader("X-Forwarded-For", str(self.client_address[0]))
        connection.putheader("X-Forwarded-Proto", "http")
        connection.putheader("Connection", "close")
        connection.endheaders(body or None)

    def _answer(self, response: http.client.HTTPResponse, content: bytes, host: Host) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in _OWN:
                self.send_header(name, value)
        self.send_header(NAME, host.name)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):
            if self.command != "HEAD":
                self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_told: object) -> None:
        """Nothing: the drill reports."""
