"""The site's processes for end-to-end benchmarks: sandbox, web and queue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3

from bench import ground
from bench.results import WrongResult
from threadsite import environment

START_SECONDS = 60.0
MANAGE = [sys.executable, "manage.py"]
REDIRECT_URI = f"{ground.SITE}/auth/instagram/login/callback/"


@contextmanager
def running() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Sandbox, web and queue by name, each answering; stopped afterwards."""
    sandbox = ["sandbox", "--port", str(ground.PORT + 1), "--per-minute", "0"]
    with ExitStack() as stack:
        begun = {
            "sandbox": stack.enter_context(
                process("sandbox", [*MANAGE, *sandbox, "--site-url", ground.SITE])
            )
        }
        wait_for(f"{ground.SANDBOX}/_sandbox/accounts/")
        begun["web"] = stack.enter_context(web())
        begun["queue"] = stack.enter_context(process("queue", [*MANAGE, "queue"]))
        yield begun


@contextmanager
def web() -> Iterator[subprocess.Popen[bytes]]:
    """Only the web server, answering; stopped afterwards."""
    with process("web", gunicorn(ground.PORT, "threadsite.wsgi")) as begun:
        wait_for(f"{ground.SITE}/")
        yield begun


def gunicorn(port: int, application: str) -> list[str]:
    """The product's web server, also with another application."""
    from threadsite.demo.launcher import web_command

    command = web_command(port)
    command[command.index("threadsite.wsgi")] = application
    return command


@contextmanager
def process(name: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for the block; its output goes to a log of its own."""
    logs = environment.home() / "logs"
    logs.mkdir(exist_ok=True)
    with (logs / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise WrongResult(f"{url} does not answer; see {environment.home() / 'logs'}")


_pool = urllib3.PoolManager(maxsize=8)


def control(method: str, route: str, body: Any = None) -> Any:
    """One of the sandbox's control routes."""
    answer = _pool.request(
        method,
        f"{ground.SANDBOX}/_sandbox/{route}",
        body=None if body is None else json.dumps(body).encode(),
        timeout=30,
    )
    if answer.status >= 400:
        raise WrongResult(f"sandbox {route}: {answer.status} {answer.data[:200]!r}")
    return json.loads(answer.data)


def linked_persona(owner: Any, username: str, followers: int) -> Any:
    """Link a persona of the sandbox as its owner would, with consent to its followers."""
    from accounts.instagram import gateway
    from accounts.services import linking

    control("POST", "accounts/", {"username": username, "followers": followers})
    instagram = gateway.from_settings()
    short = instagram.exchange_code(_code(username), REDIRECT_URI)
    token = instagram.long_lived(short.access_token)
    account = linking.link_from_oauth(
        owner=owner,
        profile=instagram.me(token.access_token),
        token=token,
        permissions=short.permissions or frozenset({"instagram_business_basic"}),
    )
    ground.allow_followers(account)
    return account


def _code(persona: str) -> str:
    query = urlencode(
        {
            "client_id": ground.SETTINGS["INSTAGRAM_CLIENT_ID"],
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "instagram_business_basic,instagram_business_manage_insights",
        }
    )
    fields = [("persona", persona), ("decision", "allow")]
    fields += [
        ("permission", f"instagram_business_{name}") for name in ("basic", "manage_insights")
    ]
    answer = _pool.request(
        "POST",
        f"{ground.SANDBOX}/oauth/authorize?{query}",
        body=urlencode(fields),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        redirect=False,
    )
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
