"""End-to-end benchmark with sandbox, web and queue: accounts checked a second, delay of changes.

Few accounts with few followers: the pipeline is measured, not the list.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

from bench import ground, site
from bench.results import Results, WrongResult

ACCOUNTS = 60
FOLLOWERS = 100
WORKERS = 2
WEBHOOKS = 20
SPREAD_SECONDS = 70.0
PATIENCE = 180.0


def measure(results: Results, n: int, runs: int) -> None:
    """`n` only limits the number of accounts."""
    count = max(2, min(ACCOUNTS, n // 100))
    with site.running():
        linked = [
            site.linked_persona(ground.member("delivery"), f"d.{number}", FOLLOWERS)
            for number in range(count)
        ]
        _quiet(linked)
        _checked(results, linked, runs)
        _webhooks(results, linked[:WEBHOOKS])
        _scheduled(results, linked)


def _quiet(linked: list[Any]) -> None:
    """Wait until first lists and second looks are done and nothing is due."""
    from followersync.models import SyncSettings

    deadline = time.monotonic() + PATIENCE
    while _behind(linked):
        SyncSettings.objects.filter(complete=False, next_due_at__isnull=False).update(
            next_due_at=datetime(2020, 1, 1).astimezone()
        )
        _tick()
        _sleep(deadline, "the first lists")
        time.sleep(0.5)
    _await_runs(linked)
    _put_off()


def _behind(linked: list[Any]) -> bool:
    from followersync.models import SyncSettings

    return SyncSettings.objects.filter(account__in=linked, complete=False).exists()


def _put_off() -> None:
    from accounts import clock
    from followersync.models import SyncSettings

    SyncSettings.objects.update(next_due_at=clock.now() + timedelta(days=1))


def _tick() -> None:
    from followersync.services.sync import dispatcher

    dispatcher.tick()


def _open_runs(linked: list[Any]) -> int:
    from followersync.models import SyncRun

    return SyncRun.objects.filter(account__in=linked, state__in=SyncRun.OPEN).count()


def _await_runs(linked: list[Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while _open_runs(linked):
        _sleep(deadline, "the runs")


def _sleep(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise WrongResult(f"{what} do not come to their end; see the queue's log")
    time.sleep(0.02)


def _checked(results: Results, linked: list[Any], runs: int) -> None:
    """Accounts that are all due at once, beside a bare client with the same calls."""
    from accounts.services import tokens
    from followersync.models import SyncSettings

    asked = [(tokens.usable_token(each.pk), each.instagram_id) for each in linked]
    ratios, floors = [], []
    with get_context("spawn").Pool(WORKERS, _load_client) as pool:
        pool.map(_bare_checks, [asked[:2]] * WORKERS)
        for _ in range(runs):
            begun = time.perf_counter()
            pool.map(_bare_checks, [asked[i::WORKERS] for i in range(WORKERS)])
            bare = len(linked) / (time.perf_counter() - begun)
            SyncSettings.objects.filter(account__in=linked).update(
                next_due_at=datetime(2020, 1, 1).astimezone()
            )
            begun = time.perf_counter()
            _tick()
            _await_runs(linked)
            ours = len(linked) / (time.perf_counter() - begun)
            _put_off()
            ratios.append(ours / bare)
            floors.append(bare)
            print(f"#   {ours:.1f} accounts a second, bare {bare:.1f}")
    results.add(
        "checked_over_bare_client", len(linked), ratios, "ratio", floor=statistics.median(floors)
    )


def _load_client() -> None:
    import urllib3

    urllib3.PoolManager()


def _bare_checks(asked: list[tuple[str, str]]) -> None:
    """The same two calls for each account; the answers are only read."""
    import json

    import urllib3

    pool = urllib3.PoolManager()
    for token, account_id in asked:
        for path, fields in (
            ("me", {"fields": "id,followers_count"}),
            (f"{account_id}/followers", {"fields": "id,username", "limit": "1000"}),
        ):
            answer = pool.request(
                "GET",
                f"{ground.SANDBOX}/v25.0/{path}",
                fields={**fields, "access_token": token},
            )
            json.loads(answer.data)


def _webhooks(results: Results, linked: list[Any]) -> None:
    """From a follow at the sandbox, signalled by a webhook, to its entry in our feed."""
    delays = []
    for account in linked:
        before = _head(account)
        begun = time.perf_counter()
        site.control("POST", f"accounts/{account.instagram_id}/change/", {"follow": 1})
        site.control("POST", f"accounts/{account.instagram_id}/send/", {"callback": "webhook"})
        deadline = time.monotonic() + PATIENCE
        while _head(account) == before:
            _sleep(deadline, "webhooks")
        delays.append(time.perf_counter() - begun)
    results.add("webhook_p95_s", len(linked), [_p95(delays)], "s")
    _await_runs(linked)


def _scheduled(results: Results, linked: list[Any]) -> None:
    """From the time an account is due to the feed entry: the delay beside its interval.

    The queue's own tick opens the runs; the accounts fall due one after the other.
    """
    from accounts import clock
    from followersync.models import FollowerChange, SyncSettings

    _put_off()
    heads = {account.pk: _head(account) for account in linked}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_follow, [account.instagram_id for account in linked]))
    begun = clock.now() + timedelta(seconds=1)
    due = {}
    for number, account in enumerate(linked):
        moment = begun + timedelta(seconds=SPREAD_SECONDS * number / len(linked))
        due[account.pk] = moment
        SyncSettings.objects.filter(pk=account.pk).update(next_due_at=moment)
    deadline = time.monotonic() + PATIENCE + SPREAD_SECONDS
    while any(_head(account) == heads[account.pk] for account in linked):
        _sleep(deadline, "scheduled syncs")
        time.sleep(0.5)
    lags = [
        (
            FollowerChange.objects.filter(account_id=key, position=heads[key] + 1).get().at - moment
        ).total_seconds()
        for key, moment in due.items()
    ]
    results.add("scheduled_lag_p95_s", len(linked), [_p95(lags)], "s")


def _follow(instagram_id: str) -> None:
    site.control("POST", f"accounts/{instagram_id}/change/", {"follow": 1})


def _head(account: Any) -> int:
    from bench.truth import head_of

    return head_of(account)


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]
