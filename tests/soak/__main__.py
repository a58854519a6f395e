"""`python -m tests.soak`: accounts under every fault, workers killed, and then the truth.

Options: --accounts 500, --minutes 10, --workers 2, --fault 0.05, --seed N, --port 8995.
Fails when an account does not end equal to the truth, on a false loss, a gap or a duplicate in a
feed, or a run that nobody finishes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.soak import stack, verdict
from tests.soak.stack import say
from tests.soak.truth import Truth
from tests.support.sandbox import Sandbox
from threadsite.supervisor import has_ended

SIZES = (3, 8, 30, 60, 120, 250)
KILL_SECONDS = 20.0
CALM_MINUTES = 20.0
#: So many looks, half a minute apart, without another loss proven: whoever is left has no witness.
STEADY = 6


def main() -> int:
    """Run one soak; 0 when all is well."""
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="threadsite-soak-"))
    say(f"seed {options.seed}; {options.accounts} accounts, {options.minutes} min of faults")
    try:
        with stack.running(folder, sandbox_port=options.port, workers=options.workers) as processes:
            well = Soak(options, processes).run()
    finally:
        if options.keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if well else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fault", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--port", type=int, default=8995)
    parser.add_argument("--keep", action="store_true", help="keep logs and database")
    return parser.parse_args()


class Soak:
    """Link, trouble, calm, judgement."""

    def __init__(self, options: argparse.Namespace, processes: Any) -> None:
        self.options = options
        self.processes = processes
        self.rng = random.Random(options.seed)
        self.sandbox = Sandbox(f"http://127.0.0.1:{options.port}", "")
        self.truth = Truth(self.sandbox, self.rng)
        self.accounts: dict[int, str] = {}
        self.kills = 0
        self.reconnected = 0
        self.member: Any = None

    def run(self) -> bool:
        """Everything in turn; whether all is well."""
        self.link()
        self.wait_for_baselines()
        self.trouble()
        self.sandbox.faults()
        self.reconnect()
        calm = self.wait_for_calm()
        found = verdict.Verdict()
        verdict.judge(self.accounts, self.truth, found)
        self.stuck_runs(found)
        report(found, self, calm)
        return found.well

    def link(self) -> None:
        """One member with all accounts, linked over HTTP as a browser would."""
        from accounts.models import User
        from threadsite import narrator

        member = self.member = User.objects.create_user("soak")
        started = time.monotonic()
        for number in range(self.options.accounts):
            name = f"soak.{number}"
            size = SIZES[number % len(SIZES)]
            instagram_id = self.sandbox.persona(name, followers=size)
            narrator.link(member, name)
            account = member.linked_accounts.get(username=name)
            self.accounts[account.pk] = instagram_id
        say(f"linked {len(self.accounts)} accounts in {time.monotonic() - started:.0f} s")

    def wait_for_baselines(self) -> None:
        """Until every account has its first complete list, looked at twice if it has an order.

        Whoever leaves before the second look has no place that could be relied upon, and is given
        up only by the rule that takes 14 days: true, and nothing that a soak could wait for.
        """
        from followersync.models import SyncSettings

        ordered = SyncSettings.objects.filter(followers_count__gte=8)
        self.until(
            lambda: (
                not SyncSettings.objects.filter(complete=False).exists()
                and not ordered.exclude(memory__memory__order="confirmed").exists()
            ),
            "first lists, looked at twice",
            1200,
        )

    def trouble(self) -> None:
        """Faults, changes and kills, for the minutes asked for."""
        faults = dict.fromkeys(stack.FAULTS, self.options.fault)
        # Each one costs the member a way to Instagram and back.
        faults["expired_token"] = self.options.fault / 10
        self.sandbox.faults(**faults)
        end = time.monotonic() + 60 * self.options.minutes
        next_kill = time.monotonic() + KILL_SECONDS
        names = list(self.accounts.values())
        # Every account changes about every third minute.
        pause = 180 / len(names)
        while time.monotonic() < end:
            self.truth.change(self.rng.choice(names))
            if time.monotonic() > next_kill:
                self.kills += stack.kill_a_worker(self.processes, self.rng)
                next_kill = time.monotonic() + self.rng.uniform(0.5, 1.5) * KILL_SECONDS
            self.keep_alive()
            self.reconnect()
            time.sleep(pause)

    def reconnect(self) -> None:
        """What members do when Instagram has ended their token: go there and back."""
        from accounts.errors import ThreadsiteError
        from threadsite import narrator

        out = self.member.linked_accounts.filter(needs_reconnect_since__isnull=False)
        for account in out[:5]:
            try:
                narrator.link(self.member, account.username)
            except ThreadsiteError as error:
                # The next turn tries again, as a member would.
                say(f"  reconnecting {account.username}: {error.code}")
            else:
                self.reconnected += 1

    def keep_alive(self) -> None:
        """What the demo's supervisor does: a queue that ended is started again."""
        for child in self.processes.children:
            if child.process is not None and has_ended(child.process):
                self.processes.start(child)

    def wait_for_calm(self) -> bool:
        """Until every list equals the truth and nobody more is proven lost; False: too long."""
        from followersync.models import Absence

        seen: list[int] = []

        def settled() -> bool:
            left = [a for a, i in self.accounts.items() if verdict.differs(a, i, self.truth)]
            seen.append(Absence.objects.count())
            say(f"  {len(left)} of {len(self.accounts)} accounts differ, {seen[-1]} unconfirmed")
            return not left and len(seen) > STEADY and len(set(seen[-STEADY:])) == 1

        return self.until(settled, "calm", 60 * CALM_MINUTES, every=30)

    def until(self, done: Any, what: str, seconds: float, every: float = 2) -> bool:
        """Wait for a condition; says how long it took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            self.keep_alive()
            if done():
                say(f"{what}: after {time.monotonic() - started:.0f} s")
                return True
            time.sleep(every)
        say(f"{what}: not within {seconds:.0f} s")
        return False

    def stuck_runs(self, found: verdict.Verdict) -> None:
        """Open runs that are older than any run may be."""
        from datetime import timedelta

        from accounts import clock
        from followersync.models import Absence, SyncRun

        old = SyncRun.objects.filter(
            state__in=("queued", "running"), created_at__lt=clock.now() - timedelta(minutes=10)
        )
        found.stuck += [f"run {run.pk} of account {run.account_id}: {run.state}" for run in old]
        found.unconfirmed = Absence.objects.count()


def report(found: verdict.Verdict, soak: Soak, calm: bool) -> None:
    """The closing figures."""
    say(f"changes made {soak.truth.changes}, losses reported {found.losses}")
    say(f"workers killed {soak.kills}, accounts reconnected {soak.reconnected}")
    say(f"freshness of newcomers: {spread(found.freshness)}")
    say(f"delay of losses:        {spread(found.loss_delay)}")
    say(f"unconfirmed at the end (really gone, without witnesses): {found.unconfirmed}")
    for name in ("unequal", "false_losses", "gaps", "duplicates", "stuck"):
        values = getattr(found, name)
        say(f"{name.replace('_', ' ')}: {len(values)}")
        for value in values[:5]:
            say(f"  {value}")
    say("all is well" if found.well and calm else "NOT well")


def spread(values: list[float]) -> str:
    """Median and 95th percentile in seconds."""
    if len(values) < 2:
        return f"{len(values)} cases"
    cuts = statistics.quantiles(values, n=20)
    return f"{len(values)} cases, p50 {statistics.median(values):.0f} s, p95 {cuts[18]:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
