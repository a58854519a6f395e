"""Machines on one Linux: each has a network, a disk and processes of its own, on one bridge.

All of it lies in a network of the drill's own, which ends with the drill's process: nothing of it
is seen from outside, and nothing has to be cleared away.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

from drills.member import until
from drills.stage import Host
from threadsite import environment
from threadsite.demo import launcher
from threadsite.embedded import DATABASE_NAME, PORT, SUPERUSER, EmbeddedServer, programs
from threadsite.supervisor import Child

TOOLS: Final = ("ip", "unshare", "nsenter", "setpriv", "mount")
#: From <linux/sched.h>.
CLONE_NEWNET: Final = 0x4000_0000
BRIDGE: Final = "bridge"
SUBNET: Final = "10.83.0"
#: The bridge's own address: here lies whatever the machines share.
SHARED: Final = f"{SUBNET}.1"
START_SECONDS: Final = 60.0
#: The first process of a machine: $1, with all that others have on their disks, is hidden behind
#: an empty one, and its own folder, $2, is put back at its place. Then it only reaps.
FIRST: Final = """
cd "$2"
mount -t tmpfs tmpfs "$1"
mkdir -p "$2"
mount --no-canonicalize --bind . "$2"
mount -t tmpfs tmpfs /dev/shm
echo ready
exec > /dev/null
while sleep 3600; do :; done
"""


def missing() -> str:
    """Why there can be no machines here; empty where there can."""
    if sys.platform != "linux":
        return "namespaces are Linux's, and this is another system"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"{', '.join(lacking)} cannot be found (Debian: iproute2, util-linux)"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "ip", "link", "add", "type", "bridge"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"this system makes no namespaces: {tried.stderr.strip()}" if tried.returncode else ""


def begin() -> None:
    """Leave the system's network for one of our own, with a bridge. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no network of our own")
    # A proxy of the system's is out of reach from here.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", f"{SHARED}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")


def _ip(*words: str, within: int | None = None) -> None:
    inside = [] if within is None else ["nsenter", "--target", str(within), "--net", "--"]
    subprocess.run([*inside, "ip", *words], check=True)


class Machine(Host):
    """A host in namespaces of its own: what is killed with its first process is all of it."""

    _made = 0

    def __init__(self, name: str, home: Path, environment: Mapping[str, str], port: int) -> None:
        super().__init__(name, home, {**environment, "HOST_NAME": name}, port)
        Machine._made += 1
        self.address = f"{SUBNET}.{10 + Machine._made}"
        self.url = f"http://{self.address}:{port}"
        self._cable = f"veth{Machine._made}"
        self._holder: subprocess.Popen[str] | None = None
        self._first, self._space = 0, ""
        (home / "tmp").mkdir()
        self.environment["TMPDIR"] = str(home / "tmp")

    def switch_on(self) -> None:
        """Make its namespaces and plug it in; nothing of the site runs on it yet."""
        spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        # `unshare` heeds no SIGTERM; so it gets SIGKILL, should the drill itself be killed.
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", *spaces, "sh", "-euc", FIRST, "sh"]
        self._holder = subprocess.Popen(
            [*command, str(self.home.parent), str(self.home)],
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self.name} did not start")
        self._first = psutil.Process(self._holder.pid).children()[0].pid
        self._space = _space(self._first)
        peer = ("peer", "name", "eth0", "netns", str(self._first))
        _ip("link", "add", self._cable, "type", "veth", *peer)
        _ip("link", "set", self._cable, "master", BRIDGE, "up")
        _ip("link", "set", "lo", "up", within=self._first)
        _ip("address", "add", f"{self.address}/24", "dev", "eth0", within=self._first)
        _ip("link", "set", "eth0", "up", within=self._first)

    def start(self, name: str) -> None:
        """Start `web` or `queue` on it."""
        if self._holder is None:
            self.switch_on()
        command = [*self.manage, "queue"]
        if name == "web":
            local = launcher.web_command(self.port)
            command = [each.replace("127.0.0.1", self.address) for each in local]
        with self._lock:
            self._supervisor.environment = dict(self.environment)
            self._children[name] = Child(name, self._inside(*command))
            self._supervisor.start(self._children[name])

    def _inside(self, *command: str) -> list[str]:
        spaces = ["--net", "--mount", "--pid", "--", "env", "-C", str(environment.CODE)]
        return ["nsenter", "--target", str(self._first), *spaces, *command]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Any command on this machine, with the site's settings; both streams in `stdout`."""
        return subprocess.run(
            self._inside(*command),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def alive(self) -> list[int]:
        """The process ids of all that runs on it, as they are called outside."""
        return [each for each in psutil.pids() if _space(each) == self._space]

    def lose_power(self) -> int:
        """SIGKILL to all of it at once, and no word to anybody; returns how many that were.

        The cable goes first: else the system itself would say goodbye to each connection.
        """
        count = len(self.alive())
        with self._lock:
            children, self._children = list(self._children.values()), {}
            self._supervisor.children.clear()
            _ip("link", "delete", self._cable)
            self._kill()
        for child in children:
            if child.process is not None:
                child.process.wait()
        if until(lambda: not self.alive(), 10) is None:
            raise RuntimeError(f"something of {self.name} outlived it")
        return count

    def begin_to_run(self, *command: str) -> subprocess.Popen[str]:
        """The same without waiting for its end, as the leader of a group; `stdout` is a pipe."""
        return subprocess.Popen(
            self._inside(*command),
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _kill(self) -> None:
        # Whatever is in a process namespace is killed with its first process, by the kernel.
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()
            self._holder = None

    def end(self) -> None:
        """End everything of this machine."""
        super().end()
        self._kill()


def _space(pid: int) -> str:
    """Which process namespace it is in; empty for one that is gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


class Database(EmbeddedServer):
    """A PostgreSQL that every machine reaches over the bridge, and by no file."""

    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it; returns its address."""
        super().start()
        super().stop()
        with (self.folder / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write(f"host all all {SUBNET}.0/24 trust\n")
        owner = self.folder.stat()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(programs() / "postgres", "-D", self.folder, f"-p{PORT}"),
                    *(f"-clisten_addresses={SHARED}", "-cunix_socket_directories="),
                ],
                stdout=log,
                stderr=log,
                user=owner.st_uid,
                group=owner.st_gid,
                extra_groups=[],
                start_new_session=True,
            )
        address = f"postgresql://{SUPERUSER}@{SHARED}:{PORT}/{DATABASE_NAME}"
        if until(lambda: _answers(address), START_SECONDS) is None:
            raise RuntimeError("the drill's PostgreSQL did not start")
        return address

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.send_signal(2)
            self._process.wait(START_SECONDS)
            self._process = None


def _answers(address: str) -> bool:
    import psycopg

    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
