"""`python -m tests.soak`: accounts under every fault, workers killed, and then the truth.

Options: --accounts 500, --minutes 10 (real, of faults), --speed 360 (the clock's), --calm-days 15
(of the clock, at most), --workers 2, --fault 0.05, --seed N, --port 8995,
--keep.
Each account's list has a kind (tests/soak/kinds.py). Fails when an account does not end equal to
the truth, on a false loss, on a list called whole that is not, a gap or a duplicate in a feed, or
a run that nobody finishes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.soak import report, stack, verdict
from tests.soak.kinds import KINDS, Listed, Weather
from tests.soak.stack import say
from tests.soak.truth import Truth
from tests.soak.watch import Watch
from tests.support.sandbox import Sandbox
from threadsite.supervisor import has_ended

SIZES = (60, 250, 30, 8, 120, 3, 1100)
KILL_SECONDS = 20.0
LOOK_SECONDS = 2.0
BASELINE_SECONDS = 1200.0
#: Every account changes about once in so many hours of the clock.
HOURS_PER_CHANGE = 12.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one soak; 0 when all is well."""
    options = parsed(arguments)
    folder = Path(tempfile.mkdtemp(prefix="threadsite-soak-"))
    say(
        f"seed {options.seed}; {options.accounts} accounts, {options.minutes} min of faults, "
        f"the clock {options.speed} times faster"
    )
    try:
        with stack.running(
            folder, sandbox_port=options.port, workers=options.workers, speed=options.speed
        ) as processes:
            well = Soak(options, processes).run()
    finally:
        if options.keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if well else 1


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--speed", type=int, default=360)
    parser.add_argument("--calm-days", type=float, default=15.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fault", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--port", type=int, default=8995)
    parser.add_argument("--keep", action="store_true", help="keep logs and database")
    return parser.parse_args(arguments)


class Soak:
    """Link, trouble, calm, judgement."""

    def __init__(self, options: argparse.Namespace, processes: Any) -> None:
        self.options = options
        self.processes = processes
        self.rng = random.Random(options.seed)
        self.sandbox = Sandbox(f"http://127.0.0.1:{options.port}", "")
        self.truth = Truth(self.sandbox, self.rng)
        self.weather = Weather(self.sandbox, self.rng)
        self.watch = Watch()
        self.accounts: dict[int, Listed] = {}
        self.kills = 0
        self.reconnected = 0
        self.member: Any = None

    def run(self) -> bool:
        """Everything in turn; whether all is well."""
        self.link()
        self.wait_for_baselines()
        self.trouble()
        self.sandbox.faults()
        self.weather.calm(list(self.accounts.values()))
        self.reconnect()
        self.settle()
        found = verdict.Verdict()
        verdict.judge(self.accounts, self.truth, self.watch, found)
        self.leftovers(found)
        say(f"changes made {self.truth.changes}, workers killed {self.kills}")
        say(f"accounts reconnected {self.reconnected}")
        for line in report.lines(found):
            say(line)
        say("all is well" if found.well else "NOT well")
        return found.well

    def link(self) -> None:
        """One member with all accounts, linked over HTTP as a browser would."""
        from accounts import clock
        from accounts.models import User
        from threadsite.demo import live_log

        member = self.member = User.objects.create_user("soak")
        kinds, started = list(KINDS), time.monotonic()
        for number in range(self.options.accounts):
            name = f"soak.{number}"
            size = SIZES[number // len(kinds) % len(SIZES)]
            kind = kinds[number % len(kinds)]
            listed = Listed(0, self.sandbox.persona(name, followers=size), kind, size)
            if kind == "capped" and number // len(kinds) % 2:
                # The site never sees these as anything but capped.
                self.weather.blow([listed], clock.now())
            live_log.link(member, name)
            listed.id = member.linked_accounts.get(username=name).pk
            self.accounts[listed.id] = listed
        say(f"linked {len(self.accounts)} accounts in {time.monotonic() - started:.0f} s")

    def wait_for_baselines(self) -> None:
        """Until every account has its first complete list, looked at twice if it has an order."""
        from followersync.models import SyncSettings

        capped = [each.id for each in self.accounts.values() if each.spell.cap is not None]
        sound = SyncSettings.objects.exclude(pk__in=capped)
        ordered = sound.filter(followers_count__gte=8)
        self.until(
            lambda: (
                not sound.filter(complete=False).exists()
                and not ordered.exclude(memory__memory__order="confirmed").exists()
            ),
            "first lists, looked at twice",
            BASELINE_SECONDS,
        )

    def trouble(self) -> None:
        """Faults, changes and kills, for the minutes asked for."""
        from accounts import clock

        faults = dict.fromkeys(stack.FAULTS, self.options.fault)
        # Each one costs the member a way to Instagram and back.
        faults["expired_token"] = self.options.fault / 10
        self.sandbox.faults(**faults)
        started = time.monotonic()
        end, looked = started + 60 * self.options.minutes, 0.0
        next_kill = started + self.rng.uniform(0.2, 1) * KILL_SECONDS
        accounts = list(self.accounts.values())
        pause = HOURS_PER_CHANGE * 3600 / self.options.speed / len(accounts)
        while time.monotonic() < end:
            account = self.rng.choice(accounts)
            self.truth.change(account.instagram_id, account.size)
            if time.monotonic() > next_kill:
                self.kills += stack.kill_a_worker(self.processes, self.rng)
                next_kill = time.monotonic() + self.rng.uniform(0.5, 1.5) * KILL_SECONDS
            if time.monotonic() > looked + LOOK_SECONDS:
                looked = time.monotonic()
                self.weather.blow(accounts, clock.now())
                self.look()
                self.keep_alive()
                self.reconnect()
            time.sleep(pause)

    def look(self) -> None:
        """Note what the site claims now."""
        shown = {each["id"]: each["followers"] for each in self.sandbox.accounts()}
        self.watch.look(self.accounts, shown)

    def reconnect(self) -> None:
        """What members do when Instagram has ended their token: go there and back."""
        from accounts.errors import ThreadsiteError
        from threadsite.demo import live_log

        out = self.member.linked_accounts.filter(needs_reconnect_since__isnull=False)
        for account in out[:5]:
            try:
                live_log.link(self.member, account.username)
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

    def settle(self) -> None:
        """Until every list equals the truth, or for as long as the rules may take."""
        from accounts import clock

        began, told = clock.now(), time.monotonic()
        limit = timedelta(days=self.options.calm_days)
        while clock.now() - began < limit:
            self.keep_alive()
            self.reconnect()
            self.look()
            if time.monotonic() - told > 30:
                told = time.monotonic()
                left = [
                    each for each in self.accounts.values() if verdict.differs(each, self.truth)
                ]
                days = (clock.now() - began) / timedelta(days=1)
                say(f"  day {days:.1f}: {len(left)} of {len(self.accounts)} lists differ")
                if not left:
                    break
            time.sleep(LOOK_SECONDS)
        say(f"settled for {(clock.now() - began) / timedelta(days=1):.1f} days")

    def until(self, done: Any, what: str, seconds: float) -> None:
        """Wait for a condition; says how long it took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            self.keep_alive()
            if done():
                say(f"{what}: after {time.monotonic() - started:.0f} s")
                return
            time.sleep(LOOK_SECONDS)
        say(f"{what}: not within {seconds:.0f} s")

    def leftovers(self, found: verdict.Verdict) -> None:
        """Open runs that are older than any run may be, and who is in doubt still."""
        from accounts import clock
        from followersync.models import Absence, SyncRun

        ten_minutes = clock.for_real(timedelta(minutes=10))
        old = SyncRun.objects.filter(
            state__in=("queued", "running"), created_at__lt=clock.now() - ten_minutes
        )
        found.stuck += [f"run {run.pk} of account {run.account_id}: {run.state}" for run in old]
        found.unconfirmed = Absence.objects.count()


if __name__ == "__main__":
    sys.exit(main())
