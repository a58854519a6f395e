"""A whole site in a temporary folder: database, sandbox, hosts with web and queue.

Each host has a folder of its own, as machines have disks of their own. A host's process that ends
is restarted after a second, as systemd does.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from drills.member import Address, Visitor, until
from drills.redis_server import RedisServer
from threadsite.demo import launcher, settings
from threadsite.embedded import EmbeddedServer
from threadsite.supervisor import Child, Supervisor, has_ended

if TYPE_CHECKING:
    from drills.disk import SmallDisk
    from tests.support.sandbox import Sandbox

START_SECONDS = 90.0
RESTART_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """Options of a drill: the first of its ten ports, the fault's duration, what is kept.

    `accounts`: how many sync meanwhile; None: as few as the drill needs.
    """

    port: int = 8930
    keep: bool = False
    seconds: float | None = None
    accounts: int | None = None


def say(line: str) -> None:
    """Print at once."""
    print(line, flush=True)


class Host:
    """One host: its folder, environment and processes (`web`, `queue`)."""

    def __init__(self, name: str, home: Path, environment: Mapping[str, str], port: int) -> None:
        self.name = name
        self.home = home
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.manage = launcher.MANAGE
        (home / "logs").mkdir(parents=True)
        self.environment = {**environment, "THREADSITE_HOME": str(home)}
        self._supervisor = Supervisor(folder=home, environment=self.environment, keep_pids=False)
        self._children: dict[str, Child] = {}
        self._ended_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def start(self, name: str) -> None:
        """Start `web` or `queue`."""
        command = launcher.web_command(self.port) if name == "web" else [*self.manage, "queue"]
        with self._lock:
            self._supervisor.environment = dict(self.environment)
            self._children[name] = Child(name, command)
            self._supervisor.start(self._children[name])

    def pid(self, name: str) -> int:
        """The id of the process last started under this name."""
        process = self._children[name].process
        assert process is not None
        return process.pid

    def processes(self, name: str) -> list[psutil.Process]:
        """All its descendants."""
        found: list[psutil.Process] = psutil.Process(self.pid(name)).children(recursive=True)
        return found

    def signal_all(self, name: str, number: int) -> list[psutil.Process]:
        """Send a signal to the process and all its descendants, at once; returns them."""
        found = [psutil.Process(self.pid(name)), *self.processes(name)]
        for each in found:
            each.send_signal(number)
        return found

    def kill(self, name: str) -> None:
        """SIGKILL to all of it; `keep_alive` restarts it."""
        self.signal_all(name, signal.SIGKILL)

    def stop(self, name: str) -> None:
        """Stop it as an operator does; it is not restarted."""
        with self._lock:
            child = self._children.pop(name)
            self._supervisor.children.remove(child)
        lone = Supervisor(folder=self.home, environment={}, keep_pids=False, stop_seconds=30)
        lone.children = [child]
        lone.stop()

    def keep_alive(self) -> None:
        """Restart ended processes, as systemd does."""
        with self._lock:
            for name, child in self._children.items():
                if child.process is None or not has_ended(child.process):
                    self._ended_at.pop(name, None)
                    continue
                ended = self._ended_at.setdefault(name, time.monotonic())
                if time.monotonic() - ended > RESTART_SECONDS:
                    child.process.wait()
                    self._supervisor.start(child)

    def log(self, name: str) -> str:
        """The process's output."""
        return (self.home / "logs" / f"{name}.log").read_text(errors="replace")

    def end(self) -> None:
        """Stop everything of this host."""
        with self._lock:
            self._supervisor.stop()


@dataclass(frozen=True)
class Ground:
    """What a site stands on: this machine, unless a drill has machines of its own."""

    listen: str = "127.0.0.1"
    """Where the stand-in for Instagram listens; its controls obey this machine alone."""
    database: Callable[[Path], EmbeddedServer] = EmbeddedServer
    host: Callable[[str, Path, Mapping[str, str], int], Host] = Host


@dataclass
class Stage:
    """The running site. `variables` is the environment that its hosts share."""

    options: Options
    home: Path
    database: EmbeddedServer
    variables: dict[str, str]
    sandbox: Sandbox
    instagram: Child
    redis: RedisServer | None
    ground: Ground
    hosts: list[Host] = field(default_factory=list)
    accounts: list[Any] = field(default_factory=list)
    """`LinkedAccount` rows as they were linked."""
    _supervisor: Supervisor = field(init=False)
    _ending: threading.Event = field(default_factory=threading.Event)

    def host(self, name: str, *, queue: bool = True, web: bool = True, **more: str) -> Host:
        """Add a host and start its processes. `more`: variables of its own."""
        made = self.prepare_host(name, **more)
        if web:
            made.start("web")
        if queue:
            made.start("queue")
        return made

    def prepare_host(self, name: str, **more: str) -> Host:
        """Add a host without starting anything."""
        # Site, sandbox and Redis use the first three ports.
        port = self.options.port + (0 if not self.hosts else 2 + len(self.hosts))
        made = self.ground.host(name, self.home / name, {**self.variables, **more}, port)
        self.hosts.append(made)
        return made

    def start_instagram(self) -> None:
        """Start the sandbox with its saved state."""
        self._supervisor.start(self.instagram)

    def stop_instagram(self) -> None:
        """Stop the sandbox; its state is saved."""
        process = self.instagram.process
        assert process is not None
        process.terminate()
        process.wait()

    def wait_for(self, url: str, seconds: float = START_SECONDS) -> None:
        """Wait until the address answers 200."""
        from drills.member import ask

        if until(lambda: ask("", url, {}).status == 200, seconds) is None:
            raise RuntimeError(f"{url} did not answer within {seconds:.0f} s")

    def link(self, number: int, *, followers: int = 60) -> None:
        """Link so many accounts over HTTP, as browsers do, ten for each member."""
        from accounts.models import User
        from threadsite.demo import live_log

        members = max(number // 10, min(4, number))
        owners = [User.objects.create_user(f"member{i}") for i in range(members)]
        for each in range(number):
            name, owner = f"drill.{each}", owners[each % len(owners)]
            self.sandbox.persona(name, followers=followers)
            live_log.link(owner, name)
            self.accounts.append(owner.linked_accounts.get(username=name))

    def visitor(self, host: Host | None = None) -> Visitor:
        """The owner of the first account, in a browser and with a program."""
        from accounts.services import programs

        host = host or self.hosts[0]
        account = self.accounts[0]
        cookie = {"Cookie": f"sessionid={_signed_in(account.owner)}"}
        token = programs.issue_token(user=account.owner, scopes=["accounts:read"], days=1)
        bearer = {"Authorization": f"Bearer {token}"}
        return Visitor(
            {
                "page": Address(f"{host.url}/accounts/{account.pk}/", cookie),
                "api": Address(f"{host.url}/api/v1/accounts/", bearer),
                "healthz": Address(f"{host.url}/healthz", {}),
                "readyz": Address(f"{host.url}/readyz", {}),
            }
        )

    def watch(self) -> None:
        """Restart the hosts' processes until the stage ends."""
        while not self._ending.wait(0.2):
            for host in self.hosts:
                host.keep_alive()


THIS_MACHINE = Ground()


def _signed_in(member: Any) -> str:
    """Create a session of this member; returns the cookie's value."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from accounts.sessions import SessionStore, signed

    session = SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = "accounts.backends.PasswordBackend"
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session.save()
    return signed(str(session.session_key))


@contextmanager
def running_site(
    options: Options,
    ground: Ground = THIS_MACHINE,
    *,
    accounts: int = 12,
    followers: int = 60,
    redis: bool = False,
    hosts: int = 1,
    disk: SmallDisk | None = None,
    **more: str,
) -> Iterator[Stage]:
    """The site with so many linked accounts that have their first lists.

    `disk`: where the first host's folder is. `more`: settings.
    """
    home = Path(tempfile.mkdtemp(prefix="threadsite-drill-"))
    stage: Stage | None = None
    database = ground.database(home / "postgres")
    try:
        stage = _started(options, home, database, ground, redis=redis, more=more)
        if disk is not None:
            disk.mount(home / "host1")
        for number in range(hosts):
            stage.host(f"host{number + 1}")
        stage.wait_for(f"{stage.sandbox.base_url}/_sandbox/accounts/")
        for host in stage.hosts:
            stage.wait_for(f"{host.url}/healthz")
        threading.Thread(target=stage.watch, daemon=True).start()
        stage.link(options.accounts or accounts, followers=followers)
        _wait_for_lists(stage)
        yield stage
    finally:
        if stage is not None:
            _end(stage)
        database.stop()
        if disk is not None:
            disk.unmount()
        if options.keep:
            say(f"  kept         {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)


def _started(
    options: Options,
    home: Path,
    database: EmbeddedServer,
    ground: Ground,
    *,
    redis: bool,
    more: dict[str, str],
) -> Stage:
    """Start database, sandbox and, if wanted, Redis; set up Django in this process."""
    for port in range(options.port, options.port + 10):
        _require_free(port)
    (home / "logs").mkdir()
    sandbox_port = options.port + 1
    os.environ["CLOCK_SPEED"] = "1"
    variables = settings.write(
        home, address=database.start(), port=options.port, sandbox_port=sandbox_port, embedded=False
    )
    server = RedisServer(home / "redis", options.port + 2) if redis else None
    if server is not None:
        variables["REDIS_URL"] = server.start()
    plain = {
        "LOG_LEVEL": "WARNING",
        "PATH": os.environ.get("PATH", os.defpath),
        # An account that falls due every few seconds would soon use up its hourly budget.
        "INSTAGRAM_CALLS_PER_HOUR": "100000",
    }
    variables = {**plain, **variables, **more}
    os.environ.update(variables)
    # The drill's own warnings about the fault are of no interest.
    os.environ["LOG_LEVEL"] = "ERROR"
    supervisor = Supervisor(folder=home, environment=variables, keep_pids=False)
    launcher.migrate({**os.environ})
    listen = ["--host", ground.listen, "--port", str(sandbox_port)]
    arguments = [*listen, "--state", str(home / "sandbox.state")]
    instagram = Child("sandbox", [*launcher.MANAGE, "sandbox", *arguments, "--per-minute", "0"])
    _set_up_django()
    from tests.support.sandbox import Sandbox

    client = Sandbox(f"http://127.0.0.1:{sandbox_port}", "")
    stage = Stage(options, home, database, variables, client, instagram, server, ground)
    stage._supervisor = supervisor
    stage.start_instagram()
    return stage


def _set_up_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "threadsite.settings"
    import django

    django.setup()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(
                f"Port {port} is taken. A drill needs ten free ports: choose others by --port."
            )


def _wait_for_lists(stage: Stage) -> None:
    from drills import truth

    if until(lambda: not truth.differing(stage), START_SECONDS, pause=0.5) is None:
        raise RuntimeError(f"the first lists are not here after {START_SECONDS:.0f} s")


def _end(stage: Stage) -> None:
    from django.db import connections

    stage._ending.set()
    for host in stage.hosts:
        host.end()
    stage._supervisor.stop()
    if stage.redis is not None:
        stage.redis.stop()
    connections.close_all()
