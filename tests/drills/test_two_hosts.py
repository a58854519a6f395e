"""What the drill of two hosts stands on: a proxy without stickiness, and a plain refusal."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from drills import network
from drills.balancer import Balancer
from drills.browser import Answer, Browser
from drills.cases import two_hosts
from drills.stage import Options

Behind = Callable[..., tuple[Balancer, Browser]]


def test_without_root_nothing_is_broken_and_the_drill_says_why(monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    report = two_hosts.run(Options())

    assert report.lines() == [
        "  skipped      This drill needs machines of its own: "
        "only root may make network namespaces."
    ]
    assert report.passed


def test_what_is_not_installed_is_named(monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "")

    assert "ip, unshare, nsenter, setpriv, mount cannot be found" in network.missing()


@pytest.fixture
def behind() -> Iterator[Behind]:
    """A balancer before hosts that answer with their name, and a browser that asks it."""
    with ExitStack() as stack:

        def make(*hosts: Any) -> tuple[Balancer, Browser]:
            port = free_port()
            balancer = stack.enter_context(Balancer(hosts).serving("127.0.0.1", port))
            return balancer, Browser(f"http://127.0.0.1:{port}", [port], cookies={"csrftoken": "x"})

        make.enter = stack.enter_context  # type: ignore[attr-defined]
        yield make


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def host(name: str, *, dies: bool = False) -> Iterator[Any]:
    """Answers with its name, or dies of each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not dies:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(name.encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_told: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield SimpleNamespace(name=name, url=f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()


def told(answers: list[Answer]) -> list[str]:
    return [f"{answer.host} {answer.text}" for answer in answers]


def test_each_request_goes_to_the_next_host(behind) -> None:
    hosts = [behind.enter(host(name)) for name in ("one", "two")]
    _balancer, browser = behind(*hosts)

    assert told([browser.get("/") for _ in range(3)]) == ["two two", "one one", "two two"]


def test_a_host_that_is_away_costs_nobody_an_answer(behind) -> None:
    away = SimpleNamespace(name="away", url=f"http://127.0.0.1:{free_port()}")
    balancer, browser = behind(behind.enter(host("one")), away)

    answers = [browser.post("/", {}) for _ in range(3)]

    assert told(answers) == ["one one"] * 3
    assert (balancer.passed_on, balancer.cut_off) == (1, 0)


def test_what_a_dying_host_may_have_done_is_not_done_twice(behind) -> None:
    hosts = [behind.enter(host("one")), behind.enter(host("two", dies=True))]
    balancer, browser = behind(*hosts)

    assert browser.post("/", {}).status == 502
    assert balancer.cut_off == 1
    balancer, browser = behind(*hosts)
    assert told([browser.get("/")]) == ["one one"]
