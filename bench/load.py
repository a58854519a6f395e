"""`python -m bench.load`: a bounded mixed load on the whole site, on a database of its own.

People request pages, programs read feeds, and every account falls due for a sync once meanwhile;
`--loads 3` does so three times. Prints waiting times, failures, and the memory of web and queue
before and after. It ends by itself; nothing is kept.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import psutil

from bench import ground, pages, site
from bench.closed_loop import Answer, Connection
from bench.results import WrongResult

MEMBERS = 1_000
FOLLOWERS = 60
SECONDS = 60.0
PERSONS, PROGRAMS = 6, 2
#: Seconds between two pages of one person, and two answers of one program.
LOOKS_SECONDS, READS_SECONDS = 0.5, 0.1
#: Longest wait for the first lists, and for the last syncs after the load.
PATIENCE = 300.0
SIGNED_IN = 50
LINKERS = 4


@dataclass(slots=True)
class Waits:
    """Seconds of each answer of one kind, and the statuses of unsuccessful ones."""

    seconds: list[float] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)

    def add(self, answer: Answer) -> None:
        self.seconds.append(answer.seconds)
        if answer.status != 200:
            self.count(str(answer.status))

    def count(self, what: str) -> None:
        self.failed[what] = self.failed.get(what, 0) + 1


@dataclass(frozen=True, slots=True)
class Member:
    """A member whose pages and feed are requested."""

    account_id: int
    cookie: str
    token: str


def main() -> None:
    """Fill, apply the load, print."""
    parser = argparse.ArgumentParser(prog="bench.load", description=__doc__)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--loads", type=int, default=1, help="one after another; memory of each")
    chosen = parser.parse_args()
    with ground.prepared(), site.running() as processes:
        begun = time.monotonic()
        linked = _linked(chosen.members)
        print(f"# {len(linked)} members linked: {time.monotonic() - begun:.0f} s", flush=True)
        took = _first_lists(linked)
        print(f"# their first lists read: {took:.0f} s more", flush=True)
        members = [_signed_in(each) for each in linked[:SIGNED_IN]]
        memory = [_memory(processes)]
        for _load in range(chosen.loads):
            waits = _loaded(linked, members, chosen.seconds)
            memory.append(_memory(processes))
            _print(waits, chosen.seconds)
    for name in memory[0]:
        before, *after = (f"{each[name]:.0f}" for each in memory)
        print(f"memory of {name:<28} {before:>8} MB before {', '.join(after):>8} MB after")


def _linked(count: int) -> list[Any]:
    """Members with one account each, linked normally; every third is followed by another."""
    with ThreadPoolExecutor(LINKERS) as pool:
        linked = list(pool.map(_link, range(count)))
    for each in linked[::3]:
        site.control("POST", f"accounts/{each.instagram_id}/change/", {"follow": 1})
    return linked


def _link(number: int) -> Any:
    from django.db import connection

    try:
        return site.linked_persona(ground.member("load"), f"load.{number}", FOLLOWERS)
    finally:
        connection.close()  # this thread's own


def _first_lists(linked: list[Any]) -> float:
    """Seconds until every account has its first list."""
    from followersync.models import SyncSettings

    begun = time.monotonic()
    while SyncSettings.objects.filter(account__in=linked, baseline_at=None).exists():
        if time.monotonic() - begun > PATIENCE:
            raise WrongResult("the first lists do not come to their end; see the queue's log")
        time.sleep(0.5)
    return time.monotonic() - begun


def _signed_in(account: Any) -> Member:
    from accounts.services.programs import issue_token

    token = issue_token(user=account.owner, scopes=["followers:read"])
    return Member(account.pk, pages.signed_in(account.owner), token)


def _memory(processes: dict[str, Any]) -> dict[str, float]:
    """Private megabytes of the processes of each name, shared pages divided."""
    found = {}
    for name in ("web", "queue"):
        root = psutil.Process(processes[name].pid)
        tree = [root, *root.children(recursive=True)]
        found[name] = sum(each.memory_full_info().pss for each in tree) / (1 << 20)
    return found


def _loaded(linked: list[Any], members: list[Member], seconds: float) -> dict[str, Waits]:
    """Waiting times of each kind of reader, and of each sync from due to finished."""
    from accounts import clock

    begun = clock.now() + timedelta(seconds=1)
    due = _spread(linked, begun, seconds)
    until = time.monotonic() + seconds + 1
    readers: list[Callable[[int], dict[str, Waits]]] = [
        *([lambda seed: _person(members, until, seed)] * PERSONS),
        *([lambda seed: _program(members, until, seed)] * PROGRAMS),
    ]
    with ThreadPoolExecutor(len(readers)) as pool:
        counted = list(pool.map(lambda numbered: numbered[1](numbered[0]), enumerate(readers)))
    waits: dict[str, Waits] = {}
    for kinds in counted:
        for kind, one in kinds.items():
            both = waits.setdefault(kind, Waits())
            both.seconds += one.seconds
            for what, times in one.failed.items():
                both.failed[what] = both.failed.get(what, 0) + times
    return waits | {"sync, from due to finished": _syncs(due, begun)}


def _spread(linked: list[Any], begun: datetime, seconds: float) -> dict[int, datetime]:
    """Each account falls due once, one after the other."""
    from followersync.models import SyncSettings

    due = {}
    for number, each in enumerate(linked):
        due[each.pk] = begun + timedelta(seconds=seconds * number / len(linked))
        SyncSettings.objects.filter(pk=each.pk).update(next_due_at=due[each.pk])
    return due


def _syncs(due: dict[int, datetime], begun: datetime) -> Waits:
    """Waits for the last syncs."""
    from followersync.models import SyncRun

    runs = SyncRun.objects.filter(account__in=list(due), trigger="schedule", created_at__gte=begun)
    until = time.monotonic() + PATIENCE
    ended = runs.exclude(state__in=SyncRun.OPEN)
    while ended.values("account").distinct().count() < len(due) and time.monotonic() < until:
        time.sleep(0.5)
    syncs = Waits()
    first: dict[int, tuple[datetime | None, str]] = {}
    for account_id, finished_at, state in ended.order_by("id").values_list(
        "account_id", "finished_at", "state"
    ):
        first.setdefault(account_id, (finished_at, state))
    for _finished_at, state in first.values():
        if state != "succeeded":
            syncs.count(state)
    for _missing in range(len(due) - len(first)):
        syncs.count("not finished")
    ends = {key: finished_at for key, (finished_at, _state) in first.items() if finished_at}
    syncs.seconds = [(end - due[key]).total_seconds() for key, end in ends.items()]
    return syncs


def _person(members: list[Member], until: float, seed: int) -> dict[str, Waits]:
    """Requests one page after another of one member, then of the next."""
    random, waits = Random(seed), {"a page, to a person": Waits()}
    browser = Asker()
    while time.monotonic() < until:
        member = random.choice(members)
        headers = {"Cookie": f"sessionid={member.cookie}"}
        base = f"/accounts/{member.account_id}"
        for path in ("/accounts/", f"{base}/", f"{base}/followers/", f"{base}/changes/"):
            waits["a page, to a person"].add(browser.ask(path, headers))
            time.sleep(LOOKS_SECONDS)
    return waits


def _program(members: list[Member], until: float, seed: int) -> dict[str, Waits]:
    """Reads the feed of one member after another from its beginning."""
    random, waits = Random(seed), {"a feed, to a program": Waits()}
    client = Asker()
    while time.monotonic() < until:
        member = random.choice(members)
        headers = {"Authorization": f"Bearer {member.token}"}
        path = f"/api/v1/accounts/{member.account_id}/changes/?after=0"
        waits["a feed, to a program"].add(client.ask(path, headers))
        time.sleep(READS_SECONDS)
    return waits


class Asker:
    """A keep-alive connection, reopened when the server has closed it."""

    def __init__(self) -> None:
        self._connection: Connection | None = None

    def ask(self, path: str, headers: dict[str, str]) -> Answer:
        for _again in range(2):
            if self._connection is None:
                self._connection = Connection(ground.SITE)
            try:
                return self._connection.get(path, headers)
            except (OSError, IndexError):
                self._connection = None
        return Answer(0, 0.0)


def _print(waits: dict[str, Waits], seconds: float) -> None:
    """One line for each kind of reader."""
    print(f"{'':38} {'count':>7} {'a second':>9} {'p50 ms':>9} {'p95 ms':>9}  failed")
    for kind, one in waits.items():
        ordered = sorted(one.seconds) or [0.0]
        half, most = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        failed = ", ".join(f"{times} x {what}" for what, times in one.failed.items()) or "none"
        print(
            f"{kind:<38} {len(one.seconds):>7} {len(one.seconds) / seconds:>9.1f}"
            f" {half * 1000:>9.1f} {most * 1000:>9.1f}  {failed}"
        )


if __name__ == "__main__":
    main()
