"""A site whose servers are stopped under it and started again: what members see, and what after.

One web server, one PostgreSQL and, where there is a `redis-server`, one Redis, of the test's own.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.database import FAST
from tests.support.outage import closed_port
from threadsite.demo import launcher, settings
from threadsite.embedded import EmbeddedServer
from threadsite.supervisor import Child, Supervisor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
#: Far less than a person's patience, far more than a request takes.
SOON = 10.0
SESSION = """
from types import SimpleNamespace
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from accounts.models import User
from accounts.sessions import SessionStore, signed
member = User.objects.create_user("alice")
session = SessionStore()
session[SESSION_KEY] = str(member.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = member.get_session_auth_hash()
session.save()
print("cookie=" + signed(session.session_key))
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Site:
    """A running site, and the session of a member who is signed in."""

    address: str
    cookie: str
    database: EmbeddedServer

    def get(self, path: str) -> Answer:
        request = urllib.request.Request(
            self.address + path, headers={"Cookie": f"sessionid={self.cookie}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=SOON) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read().decode())

    def ready(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.get("/readyz").body)
        return found


@contextmanager
def served(folder: Path, **variables: str) -> Iterator[Site]:
    """Migrated and answering; everything it started is ended afterwards."""
    (folder / "logs").mkdir(parents=True)
    database = EmbeddedServer(folder / "postgres", FAST)
    port = closed_port()
    supervisor = Supervisor(folder=folder, environment=os.environ)
    try:
        supervisor.environment |= settings.write(
            folder, address=database.start(), port=port, sandbox_port=1, embedded=True
        )
        supervisor.environment |= {"CLOCK_SPEED": "1", **variables}
        launcher.migrate(supervisor.environment)
        cookie = _cookie(supervisor.environment)
        supervisor.start(Child("web", launcher.web_command(port)))
        address = f"http://127.0.0.1:{port}"
        launcher.wait_for(supervisor, f"{address}/healthz", "web")
        yield Site(address, cookie, database)
    finally:
        supervisor.stop()
        database.stop()


def _cookie(variables: dict[str, str]) -> str:
    said = subprocess.run(
        [*launcher.MANAGE, "shell", "-c", SESSION],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return said.partition("cookie=")[2].strip()


@contextmanager
def redis(folder: Path, port: int) -> Iterator[None]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server is installed")
    folder.mkdir(exist_ok=True)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until = time.monotonic() + SOON
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield
    finally:
        process.terminate()
        process.wait(SOON)


def test_a_database_that_is_stopped_and_started_again(tmp_path: Path) -> None:
    with served(tmp_path) as site:
        assert site.get("/accounts/").status == 200
        site.database.stop()

        page, problem = site.get("/accounts/"), site.get("/api/v1/accounts/")

        assert (page.status, problem.status) == (503, 503)
        assert "cannot reach its database" in page.body
        assert problem.headers["Content-Type"] == "application/problem+json"
        assert page.headers["Retry-After"] == problem.headers["Retry-After"] == "30"
        assert site.get("/healthz").status == 200
        assert site.ready()["database"] == "unreachable"

        site.database.start()

        assert site.get("/accounts/").status == 200, "the session and the list are still there"
        assert site.ready()["database"] == "ok"
        log = (tmp_path / "logs" / "web.log").read_text()
        assert "database_unavailable" in log
        assert "Traceback" not in log


def test_a_redis_that_is_stopped_and_started_again(tmp_path: Path) -> None:
    port = closed_port()
    with redis(tmp_path / "redis", port):
        pass  # it can be started here
    with served(tmp_path / "site", REDIS_URL=f"redis://127.0.0.1:{port}") as site:
        assert site.get("/accounts/").status == 200, "sessions are in the database"
        away = site.ready()
        assert (away["database"], away["cache"], away["broker"]) == (
            "ok",
            "unreachable",
            "unreachable",
        )
        with redis(tmp_path / "redis", port):
            back = site.ready()
        assert (back["cache"], back["broker"]) == ("ok", "ok")
        assert site.ready()["cache"] == "unreachable"
        assert site.get("/healthz").status == 200
