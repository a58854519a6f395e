"""Verifies stored list, history, feed and digest against the generator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.population import Churn, Population
from bench.results import WrongResult


def check_list(account: Any, population: Population, *, by_id: bool = False) -> None:
    """Every name with its follow second (or, by the edge, its id), and nobody else."""
    shown = "key" if by_id else "extract(epoch FROM since)::bigint"
    stored = _lines(
        f"SELECT username, {shown} FROM followersync_follower WHERE account_id = %s"
        ' ORDER BY username COLLATE "C"',
        account,
    )
    other = population.ids if by_id else population.seconds
    pairs = sorted(zip(population.names, other, strict=True))
    _same("list", stored, "".join([f"{name}\t{value}\n" for name, value in pairs]).encode())
    check_books(account)


def check_books(account: Any) -> None:
    """The running count and digest equal those of the rows."""
    from followersync import store
    from followersync.models import SyncSettings

    settings = SyncSettings.objects.get(pk=account.pk)
    counted = store.recount(account.pk, bytes(settings.digest_key))
    if counted != (settings.followers_count, settings.digest):
        raise WrongResult(f"digest: {counted} is not what the account says")


def check_history(account: Any, population: Population) -> None:
    """Everybody who left has one closed interval, nobody else."""
    stored = _lines(
        "SELECT username, extract(epoch FROM since)::bigint FROM followersync_pastfollow"
        ' WHERE account_id = %s AND valid_to IS NOT NULL ORDER BY username COLLATE "C"',
        account,
    )
    expected = "".join([f"{name}\t{at}\n" for name, at in sorted(population.past)])
    _same("history", stored, expected.encode())


def check_feed(account: Any, after: int, expected: Churn) -> None:
    """Exactly these entries follow position `after`."""
    from followersync.models import FollowerChange

    entries = set(
        FollowerChange.objects.filter(account_id=account.pk, position__gt=after).values_list(
            "kind", "previous_username", "username"
        )
    )
    _same_set(
        "feed",
        entries,
        {
            *(("gained", "", name) for name in expected.gained),
            *(("lost", "", name) for name in expected.lost),
            *(("renamed", old, new) for old, new in expected.renamed),
        },
    )


def head_of(account: Any) -> int:
    from followersync.models import SyncSettings

    return int(SyncSettings.objects.values_list("head", flat=True).get(pk=account.pk))


def _lines(query: str, account: Any) -> bytes:
    from django.db import connection

    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT", [account.pk]) as c:
        return b"".join(bytes(block) for block in c)


def _same(what: str, stored: bytes, expected: bytes) -> None:
    if stored != expected:
        _same_set(what, set(stored.splitlines()), set(expected.splitlines()))
        raise WrongResult(f"{what}: somebody stands there twice")


def _same_set(what: str, stored: Iterable[Any], expected: Iterable[Any]) -> None:
    too_many, missing = set(stored) - set(expected), set(expected) - set(stored)
    if too_many or missing:
        raise WrongResult(
            f"{what}: {len(too_many)} too many, {len(missing)} missing; "
            f"such as {sorted(too_many)[:3]} and {sorted(missing)[:3]}"
        )
