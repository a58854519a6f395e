"""The soak's judgement: every feed against what really happened, for each kind of list."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.soak.kinds import Listed
from tests.soak.truth import Person, Truth
from tests.soak.watch import Watch

#: Where no doubt was seen to begin, the looks lie within so long before the loss.
LONGEST_DOUBT = timedelta(days=15)
#: A look and its doubt are written in one breath, the truth noted in another: real seconds apart.
BREATH_SECONDS = 5


@dataclass
class OfKind:
    """What came out for one kind of list; delays in hours of the site's clock."""

    accounts: int = 0
    losses: int = 0
    false: int = 0
    delays: list[float] = field(default_factory=list)


@dataclass
class Verdict:
    """What came out, over all accounts; every list is empty when all is well."""

    unequal: list[str] = field(default_factory=list)
    false_losses: list[str] = field(default_factory=list)
    false_claims: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    kinds: dict[str, OfKind] = field(default_factory=lambda: defaultdict(OfKind))
    freshness: list[float] = field(default_factory=list)
    unconfirmed: int = 0

    @property
    def well(self) -> bool:
        wrong = (self.unequal, self.false_losses, self.false_claims)
        return not any((*wrong, self.gaps, self.duplicates, self.stuck))


def differs(account: Listed, truth: Truth) -> str:
    """How the list here differs from the true one; "" when it does not.

    Whoever is gone and not told yet is a difference too: the soak waits for as long as the rules
    say that everybody is told after the last fault.
    """
    from followersync.models import Absence, Follower

    true = {
        int(row["id"]): row["username"] for row in truth.sandbox.true_list(account.instagram_id)
    }
    rows = Follower.objects.filter(account_id=account.id).values_list("key", "username")
    held = dict(rows.iterator())
    waiting = set(Absence.objects.filter(account_id=account.id).values_list("key", flat=True))
    missing, surplus = true.keys() - held.keys(), held.keys() - true.keys()
    renamed = [key for key in true.keys() & held.keys() if true[key] != held[key]]
    doubted = waiting & true.keys()
    if not (missing or surplus or renamed or doubted):
        return ""
    return (
        f"{len(missing)} missing, {len(surplus)} too many ({len(surplus & waiting)} of them "
        f"unconfirmed), {len(renamed)} with another name, {len(doubted)} unconfirmed who are there"
    )


def judge(accounts: dict[int, Listed], truth: Truth, watch: Watch, verdict: Verdict) -> None:
    """Hold each account's feed against what happened."""
    from followersync.models import FollowerChange

    verdict.false_claims += watch.false_claims.values()
    for account in accounts.values():
        verdict.kinds[account.kind].accounts += 1
        if difference := differs(account, truth):
            verdict.unequal.append(f"account {account.id} ({account.kind}): {difference}")
        rows = FollowerChange.objects.filter(account_id=account.id).order_by("position")
        present: dict[int, bool] = {}
        expected = 1
        for row in rows.iterator():
            if row.position != expected:
                verdict.gaps.append(f"account {account.id}: {expected} became {row.position}")
            expected = row.position + 1
            judge_change(account, row, present, truth, watch, verdict)


def judge_change(
    account: Listed,
    row: Any,
    present: dict[int, bool],
    truth: Truth,
    watch: Watch,
    verdict: Verdict,
) -> None:
    """One entry of a feed; `present` is what the feed has said so far."""
    where = f"account {account.id} ({account.kind}), position {row.position}, person {row.key}"
    if row.kind == "lost":
        if present.get(row.key) is False:
            verdict.duplicates.append(where)
        present[row.key] = False
        person = truth.people[account.instagram_id][str(row.key)]
        since = watch.doubted_since(account.id, row.key, row.at) or row.at - LONGEST_DOUBT
        judge_loss(where, account.kind, person, since, row.at, verdict)
    elif row.kind in ("gained", "found", "returned"):
        if present.get(row.key):
            verdict.duplicates.append(where)
        present[row.key] = True
        came = truth.came[account.instagram_id].get(str(row.key))
        if came is not None and row.kind != "returned":
            verdict.freshness.append((row.at - came).total_seconds() / 3600)


def judge_loss(
    where: str, kind: str, person: Person, since: datetime, at: datetime, verdict: Verdict
) -> None:
    """A loss is false if the person followed during all the looks, from the first doubt on."""
    from accounts import clock

    verdict.kinds[kind].losses += 1
    breath = clock.for_real(timedelta(seconds=BREATH_SECONDS))
    if not person.was_gone_within(since - breath, at):
        verdict.kinds[kind].false += 1
        verdict.false_losses.append(f"{where}: doubted since {since:%d %H:%M}, lost {at:%d %H:%M}")
        return
    left = max(start for start, _end in person.gone if start <= at)
    verdict.kinds[kind].delays.append((at - left).total_seconds() / 3600)
