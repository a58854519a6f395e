"""A site without Instagram for backup drills; prints each command as typed."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from cryptography.fernet import Fernet

from drills.report import Report
from threadsite import embedded

ROOT: Final = Path(__file__).resolve().parent.parent
MANAGE: Final = [sys.executable, "manage.py"]
START_SECONDS: Final = 60.0
COMMAND_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Run:
    """A command's exit code and output, both streams together."""

    code: int
    output: str

    @property
    def last(self) -> str:
        """The last line that is not empty."""
        return "".join(self.lines(1))

    def lines(self, count: int) -> list[str]:
        """The last `count` lines that are not empty."""
        return [line.strip() for line in self.output.splitlines() if line.strip()][-count:]


@dataclass
class BackupSite:
    """Folders, the environment shared by all hosts, and the report."""

    home: Path
    port: int
    report: Report
    variables: dict[str, str]

    def on(self, host: str, database: str, **more: str) -> dict[str, str]:
        """The environment of a host with a disk of its own."""
        folder = self.home / host
        folder.mkdir(exist_ok=True)
        return {**self.variables, "THREADSITE_HOME": str(folder), "DATABASE_URL": database, **more}

    def manage(self, environment: Mapping[str, str], *arguments: str, lines: int = 1) -> Run:
        """Run `manage.py …` and print the last `lines` lines."""
        shown = "manage.py " + " ".join(f'"{word}"' if " " in word else word for word in arguments)
        return self.run([*MANAGE, *arguments], environment, shown, lines)

    def person(self, environment: Mapping[str, str], step: str) -> Run:
        """Run one step of `drills.person`."""
        command = [sys.executable, "-m", "drills.person", step]
        done = self.run(command, environment, f"python -m drills.person {step}")
        self.report.must(done.code == 0, f"{step} failed: {done.last}")
        return done

    def run(
        self, command: list[str], environment: Mapping[str, str] | None, shown: str, lines: int = 1
    ) -> Run:
        """Run any command in the project's folder."""
        process = subprocess.Popen(
            command, env=None if environment is None else dict(environment), cwd=ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            output, _nothing = process.communicate(timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            # A server that serves does not end: a fault if it should refuse.
            process.terminate()
            output, _nothing = process.communicate()
            output += "\nstill running, ended by the drill"
        run = Run(process.returncode, output)
        self.tell(f"$ {shown}", *run.lines(lines), f"exit {run.code}" if run.code else "")
        return run

    def tell(self, *lines: str) -> None:
        """Print, without the path of this drill's folder."""
        for line in filter(None, lines):
            print(f"    {line.replace(str(self.home), '…')}", flush=True)

    def serves(self, environment: Mapping[str, str]) -> Run:
        """Start the web server and request a page: 200 and 0, or its exit code and output."""
        command = [
            sys.executable, "-m", "gunicorn", "-c", "python:threadsite.server", "-w", "1",
            "-b", f"127.0.0.1:{self.port}", "threadsite.wsgi",
        ]  # fmt: skip
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(
                command, env=dict(environment), cwd=ROOT, stdout=log, stderr=log
            )
            answer = self._ask(process)
            if process.poll() is None:
                process.terminate()
            code = process.wait(30)
            log.seek(0)
            said = [line.strip() for line in log if "ImproperlyConfigured:" in line]
        run = Run(0 if answer else code, answer or (said[-1] if said else "no answer"))
        self.tell("$ gunicorn … threadsite.wsgi", run.last, f"exit {run.code}" if run.code else "")
        return run

    def _ask(self, process: subprocess.Popen[bytes]) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/privacy/", timeout=5) as page:
                    return f"GET /privacy/: {page.status}"
            except OSError:
                time.sleep(0.2)
        return ""


@contextmanager
def backup_site(report: Report, *, port: int, keep: bool) -> Iterator[BackupSite]:
    """Deleted afterwards, unless `keep`."""
    home = Path(tempfile.mkdtemp(prefix="threadsite-drill-"))
    variables = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "threadsite.settings",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "TOKEN_KEYS": Fernet.generate_key().decode(),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "INSTAGRAM_CLIENT_ID": "990602627938098",
        "INSTAGRAM_CLIENT_SECRET": secrets.token_hex(16),
        "STAFF_MFA_REQUIRED": "false",
        "LOG_LEVEL": "WARNING",
        "FILES_URL": "database:",
        "ERASURES_URL": (home / "kept-apart").as_uri(),
    }
    site = BackupSite(home, port, report, variables)
    try:
        yield site
    finally:
        if keep:
            report.notes.append(f"kept in {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)


def program(name: str) -> str:
    """One of the embedded PostgreSQL's programs."""
    return str(embedded.programs() / name)


def check_restored(site: BackupSite, database: str) -> None:
    """Check a database restored from a backup, from its first start on."""
    report = site.report
    new_host = site.on("new-host", database)
    found = site.person(new_host, "left")
    report.must(not found.output.startswith("0 rows"), "the backup brought nobody back")
    queue = site.manage(new_host, "queue")
    report.must(
        queue.code != 0 and "older than the list" in queue.output, "the queue served the backup"
    )
    web = site.serves(new_host)
    report.must(
        web.code != 0 and "older than the list" in web.output, "the web process served the backup"
    )
    alone = site.on("new-host", database, ERASURES_URL="")
    silent = site.manage(alone, "replay_erasures")
    report.must(silent.code != 0, "without the list nothing was replayed, and nobody was told")
    begun = time.monotonic()
    replayed = site.manage(new_host, "replay_erasures", lines=9)
    report.took["replay, from the command to the last erasure"] = time.monotonic() - begun
    report.must(replayed.code == 0, "the list could not be replayed")
    left = site.person(new_host, "left")
    report.must(left.output.startswith("0 rows"), f"residue: {left.last}")
    report.must("; 0 name" not in left.output, "the other member was erased too")
    night = site.manage(new_host, "nightly", *(f"residue: {part}" for part in RESIDUE), lines=3)
    report.must(night.code == 0 and night.output.count(" 0 done") == 3, "the night found residue")
    report.must(site.manage(new_host, "check_erasures").code == 0, "list and database differ")
    report.must(site.serves(new_host).code == 0, "the site does not start after the replay")


RESIDUE: Final = (
    "rows without an owner",
    "words in tables",
    "words in queue, sessions and cache",
)
