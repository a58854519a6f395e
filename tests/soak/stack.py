"""The stack of a soak: a database, a sandbox and a queue of its own, in a folder of its own."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from accounts.instagram.sandbox.fault_kinds import SINGLE
from threadsite.demo import launcher, settings
from threadsite.embedded import EmbeddedServer
from threadsite.supervisor import Child, Supervisor

FAULTS = [name for name in SINGLE if name != "expired_token"]


@contextmanager
def running(folder: Path, *, sandbox_port: int, workers: int, speed: int) -> Iterator[Supervisor]:
    """Database, sandbox (time stands still) and queue; Django is set up to use them."""
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    server = EmbeddedServer(folder / "postgres", {"max_connections": "200"})
    supervisor = Supervisor(folder=folder, environment=os.environ)
    os.environ["THREADSITE_HOME"] = str(folder)
    os.environ["CLOCK_SPEED"] = str(speed)
    try:
        os.environ.update(
            settings.write(
                folder, address=server.start(), port=1, sandbox_port=sandbox_port, embedded=True
            )
        )
        os.environ.update({"QUEUE_WORKERS": str(workers), "LOG_LEVEL": "WARNING"})
        # As in production: minutes of the fast clock.
        os.environ["SYNC_INTERVAL_MINUTES_LOW"] = "15"
        os.environ["SYNC_INTERVAL_MINUTES_DEFAULT"] = "360"
        supervisor.environment = dict(os.environ)
        launcher.migrate(supervisor.environment)
        arguments = ["sandbox", "--port", str(sandbox_port), "--per-minute", "0"]
        supervisor.start(Child("sandbox", [*launcher.MANAGE, *arguments]))
        supervisor.start(Child("queue", [*launcher.MANAGE, "queue"]))
        launcher.wait_for(
            supervisor, f"http://127.0.0.1:{sandbox_port}/_sandbox/accounts/", "sandbox"
        )
        _set_up_django()
        yield supervisor
    finally:
        supervisor.stop()
        server.stop()


def _set_up_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "threadsite.settings"
    import django

    django.setup()


def kill_a_worker(supervisor: Supervisor, rng: random.Random) -> bool:
    """SIGKILL to one process below the queue's cluster; False when there was none."""
    queue = next(child for child in supervisor.children if child.name == "queue")
    if queue.process is None:
        return False
    with suppress(psutil.Error):
        clusters = psutil.Process(queue.process.pid).children()
        below = [process for cluster in clusters for process in cluster.children(recursive=True)]
        victims = [process for process in below if "resource_tracker" not in str(process.cmdline())]
        if victims:
            rng.choice(victims).send_signal(signal.SIGKILL)
            return True
    return False


def say(line: str) -> None:
    """Print at once."""
    print(line, flush=True)
    sys.stdout.flush()
