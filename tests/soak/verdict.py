"""The soak's judgement: every feed against what really happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.soak.truth import Truth


@dataclass
class Verdict:
    """What came out, over all accounts; every list is empty when all is well."""

    unequal: list[str] = field(default_factory=list)
    false_losses: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    freshness: list[float] = field(default_factory=list)
    loss_delay: list[float] = field(default_factory=list)
    losses: int = 0
    unconfirmed: int = 0

    @property
    def well(self) -> bool:
        return not (self.unequal or self.false_losses or self.gaps or self.duplicates or self.stuck)


def differs(account_id: int, instagram_id: str, truth: Truth) -> str:
    """How the list here differs from the true one; "" when it does not.

    People who are gone but cannot be proven so yet (nobody stands beside them) are still held,
    openly unconfirmed: they are no difference, as long as they are really gone. Nor are many who
    went between two looks: for half a day it is the look that is doubted (docs/losses.md).
    """
    from followersync.models import Absence, Follower

    true = {int(row["id"]): row["username"] for row in truth.sandbox.true_list(instagram_id)}
    rows = Follower.objects.filter(account_id=account_id).values_list("key", "username")
    held = dict(rows.iterator())
    waiting = set(Absence.objects.filter(account_id=account_id).values_list("key", flat=True))
    missing = true.keys() - held.keys()
    surplus = held.keys() - true.keys() - waiting
    if len(surplus) > max(5, len(held) // 10):
        surplus = set()
    renamed = [key for key in true.keys() & held.keys() if true[key] != held[key]]
    if not (missing or surplus or renamed or waiting & true.keys()):
        return ""
    return (
        f"{len(missing)} missing, {len(surplus)} too many, {len(renamed)} with another name, "
        f"{len(waiting & true.keys())} unconfirmed who are there"
    )


def judge(accounts: dict[int, str], truth: Truth, verdict: Verdict) -> None:
    """Hold each account's feed against what happened."""
    from followersync.models import FollowerChange

    for account_id, instagram_id in accounts.items():
        if difference := differs(account_id, instagram_id, truth):
            verdict.unequal.append(f"account {account_id}: {difference}")
        rows = FollowerChange.objects.filter(account_id=account_id).order_by("position")
        present: dict[int, bool] = {}
        expected = 1
        for row in rows.iterator():
            if row.position != expected:
                verdict.gaps.append(f"account {account_id}: {expected} became {row.position}")
            expected = row.position + 1
            _judge_change(account_id, instagram_id, row, present, truth, verdict)


def _judge_change(
    account_id: int,
    instagram_id: str,
    row: object,
    present: dict[int, bool],
    truth: Truth,
    verdict: Verdict,
) -> None:
    kind, key, at = row.kind, row.key, row.at  # type: ignore[attr-defined]
    where = f"account {account_id}, position {row.position}, person {key}"  # type: ignore[attr-defined]
    if kind == "lost":
        verdict.losses += 1
        if present.get(key) is False:
            verdict.duplicates.append(where)
        present[key] = False
        _judge_loss(where, truth.people[instagram_id][str(key)].gone, at, verdict)
    elif kind in ("gained", "found", "returned"):
        if present.get(key):
            verdict.duplicates.append(where)
        present[key] = True
        came = truth.came[instagram_id].get(str(key))
        if came is not None and kind != "returned":
            verdict.freshness.append((at - came).total_seconds())


def _judge_loss(
    where: str,
    gone: list[tuple[datetime, datetime | None]],
    at: datetime,
    verdict: Verdict,
) -> None:
    """A loss is true when the person was gone at some moment before it was reported.

    Somebody who came back between the look and the report was gone when we looked.
    """
    before = [start for start, _ in gone if start <= at]
    if not before:
        verdict.false_losses.append(where)
    else:
        verdict.loss_delay.append((at - before[-1]).total_seconds())
