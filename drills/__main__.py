"""`python -m drills [NAME …]`: run these drills; `all` for every one; without a name, list them.

`table` runs those that break a site in use, with 200 accounts that sync all the while, and prints
one table. Options: --port 8930 (a drill uses this port and the nine after it), --seconds N (the
duration of the fault, for drills that take one), --accounts N (how many sync meanwhile), --keep
(keep logs and database). Exits with 1 when a drill failed.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from drills import cases
from drills.stage import Options, say

ACCOUNTS = 200
#: The first breaks nothing: its figures are the baseline.
WAYS = (
    "nothing",
    "queue-killed",
    "worker-killed",
    "web-killed",
    "double-sigterm",
    "queue-stopped",
    "postgres-restart",
    "postgres-away",
    "connections-cut",
    "redis-restart",
    "instagram-stopped",
    "instagram-errors",
    "disk-full",
    "clock-ahead",
    "deploy",
)
HEADING = "| broken | members saw | lost | well again |\n|---|---|---|---|\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """List or run drills; 0 when all passed."""
    options = parsed(arguments)
    known = names()
    if not options.names:
        for name in known:
            say(f"{name:20} {what(name)}")
        return 0
    if options.names == ["table"]:
        return table(options)
    wanted = known if options.names == ["all"] else options.names
    unknown = [name for name in wanted if name not in known]
    if unknown:
        say(f"There is no drill {', '.join(unknown)}. There are: {', '.join(known)}.")
        return 2
    if len(wanted) > 1:
        return max([alone(name, options) for name in wanted])
    return 0 if run(wanted[0], options) else 1


def table(options: argparse.Namespace) -> int:
    """Run every drill of a site in use, one after another, and print their table."""
    options.accounts = options.accounts or ACCOUNTS
    with tempfile.TemporaryDirectory() as folder:
        options.rows = Path(folder) / "rows"
        outcome = max([alone(name, options) for name in WAYS])
        say(HEADING + options.rows.read_text(encoding="utf-8"))
    return outcome


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m drills")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--port", type=int, default=8930)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--accounts", type=int, default=None)
    parser.add_argument("--rows", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="keep logs and database")
    return parser.parse_args(arguments)


def names() -> list[str]:
    """The modules of `drills.cases`, by the names used on the command line."""
    return sorted(each.name.replace("_", "-") for each in pkgutil.iter_modules(cases.__path__))


def what(name: str) -> str:
    """The drill's fault: the first line of its module."""
    module = importlib.import_module(f"drills.cases.{name.replace('-', '_')}")
    return (module.__doc__ or "").strip().splitlines()[0]


def run(name: str, options: argparse.Namespace) -> bool:
    """Run one drill in this process: Django is set up for its database only."""
    # Context managers stop what the drill started, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    module = importlib.import_module(f"drills.cases.{name.replace('-', '_')}")
    say(f"drill {name}: {what(name)}")
    report = module.run(
        Options(
            port=options.port,
            keep=options.keep,
            seconds=options.seconds,
            accounts=options.accounts,
        )
    )
    for line in report.lines():
        say(line)
    if options.rows is not None:
        with options.rows.open("a", encoding="utf-8") as rows:
            rows.write(f"{report.row()}\n")
    return bool(report.passed)


def alone(name: str, options: argparse.Namespace) -> int:
    """Run one of several drills in a process of its own."""
    command = [sys.executable, "-m", "drills", name, "--port", str(options.port)]
    if options.keep:
        command.append("--keep")
    for name in ("seconds", "accounts", "rows"):
        if (value := getattr(options, name)) is not None:
            command += [f"--{name}", str(value)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
