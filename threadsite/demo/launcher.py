"""`make demo`: starts database, sandbox, web and queue, and stops them at Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from threadsite import environment
from threadsite.demo import settings
from threadsite.embedded import EmbeddedServer, ServerError
from threadsite.supervisor import Child, Supervisor

MANAGE = [sys.executable, "-m", "threadsite"]
START_SECONDS = 60.0
#: Random events in a real minute, for each account.
EVENTS_PER_MINUTE = 4.0


class DemoError(Exception):
    """Why the demo cannot run, in words for the person at the terminal."""


def main() -> int:
    """Run the demo until Ctrl-C or SIGTERM; 0 when it ended as asked."""
    home = environment.home()
    (home / "logs").mkdir(parents=True, exist_ok=True)
    try:
        with only_one(home):
            run(home)
    except (DemoError, ServerError, ImproperlyConfigured) as error:
        say(f"The demo cannot run: {error}")
        return 1
    return 0


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Lock the folder; the lock ends with the process, so a killed demo starts again."""
    path = home / "demo.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 32).decode().strip() or "unknown"
        os.close(descriptor)
        raise DemoError(
            f"it runs already (process {owner}, folder {home}). "
            "Stop that one with Ctrl-C, or set THREADSITE_HOME and PORT for a second one."
        ) from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def run(home: Path) -> None:
    """Start everything in order, print `ready:`, supervise, and stop everything in reverse."""
    port = _port("PORT", 8000)
    sandbox_port = _port("SANDBOX_PORT", 8900)
    if port == sandbox_port:
        raise DemoError(f"PORT and SANDBOX_PORT are both {port}. Give each a port of its own.")
    supervisor = Supervisor(folder=home, environment=os.environ)
    supervisor.end_leftovers()
    for number in (port, sandbox_port):
        _require_free(number)
    supervisor.listen()
    server = None if os.environ.get("DATABASE_URL") else EmbeddedServer(home / "postgres")
    try:
        address = server.start() if server else os.environ["DATABASE_URL"]
        supervisor.environment |= settings.write(
            home, address=address, port=port, sandbox_port=sandbox_port, embedded=bool(server)
        )
        start_processes(supervisor, port, sandbox_port)
        if not supervisor.stopping.is_set():
            # live_log shares the terminal, which shows only its lines and errors.
            supervisor.environment |= {"LOG_LEVEL": "WARNING", "LOG_FORMAT": "line"}
            say(f"ready: http://127.0.0.1:{port}")
            say(clock_description(settings.clock_speed()))
            supervisor.start(
                Child(
                    "narrator",
                    [sys.executable, "-m", "threadsite.demo.live_log"],
                    inherit_output=True,
                )
            )
            supervisor.run(on_death=_report_death)
    finally:
        supervisor.stop()
        if server:
            server.stop()
    say("The demo has ended; what it stored stays in its folder for the next start.")


def clock_description(speed: int) -> str:
    """Explains the times on the pages to the person at the terminal."""
    if speed == 1:
        return "clock: as any other (CLOCK_SPEED=1); losses are told after hours"
    return (
        f"clock: {speed} times faster here, so that hours between two looks can be watched; "
        "CLOCK_SPEED=1 make demo runs it as any other"
    )


def start_processes(supervisor: Supervisor, port: int, sandbox_port: int) -> None:
    """Migrate, then start sandbox, web and queue, each once the previous one answers."""
    migrate(supervisor.environment)
    site = f"http://127.0.0.1:{port}"
    supervisor.start(
        Child(
            "sandbox",
            [
                *(*MANAGE, "sandbox", "--port", str(sandbox_port), "--site-url", site),
                # Saved, so that tokens and followers survive a kill.
                *("--state", str(supervisor.folder / "sandbox.state")),
                # The same number of events per real minute at any speed of the clock.
                *("--per-minute", str(EVENTS_PER_MINUTE / settings.clock_speed())),
            ],
        )
    )
    supervisor.start(Child("web", web_command(port)))
    supervisor.start(Child("queue", [*MANAGE, "queue"]))
    wait_for(supervisor, f"http://127.0.0.1:{sandbox_port}/_sandbox/accounts/", "sandbox")
    wait_for(supervisor, f"{site}/", "web")


def migrate(variables: dict[str, str]) -> None:
    """Bring the database's tables up to date; raises DemoError with what Django said."""
    outcome = subprocess.run(
        [*MANAGE, "migrate", "--no-input"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        raise DemoError(f"the database could not be prepared:\n{outcome.stderr.strip()}")


def web_command(port: int) -> list[str]:
    """gunicorn, with the settings of threadsite.server."""
    return [
        sys.executable, "-m", "gunicorn", "-c", "python:threadsite.server", "threadsite.wsgi",
        "--chdir", str(environment.CODE), "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "3",
    ]  # fmt: skip


def _port(name: str, default: int) -> int:
    return environment.integer(name, default, low=1, high=65_535)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise DemoError(
                f"port {port} is taken. Set PORT (web) or SANDBOX_PORT (sandbox) to a free one."
            ) from None


def wait_for(supervisor: Supervisor, url: str, name: str) -> None:
    """Wait until the address answers 200; raises DemoError when its process gives up."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not supervisor.stopping.is_set():
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            supervisor.stopping.wait(0.1)
    if not supervisor.stopping.is_set():
        log = supervisor.folder / "logs" / f"{name}.log"
        raise DemoError(f"{name} did not answer within {START_SECONDS:.0f} s; see {log}")


def _report_death(child: Child) -> None:
    if child.name != "narrator":
        say(f"{child.name} ended unexpectedly and is started again")
