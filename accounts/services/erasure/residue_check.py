"""Final check of an erasure: counts remaining rows by key in every table, payload and file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from accounts import files
from accounts.services import export
from accounts.services.erasure import payloads, rows, scrub
from accounts.services.erasure.data_map import Holding, holdings, read_schema
from accounts.services.erasure.scrub import Target


@dataclass(frozen=True)
class Check:
    """How much was checked, and rows found per table (empty: nothing is left)."""

    tables: int
    payloads: int
    found: Counter[str]

    def as_json(self) -> dict[str, int]:
        return {"rows": self.found.total(), "tables": self.tables, "payloads": self.payloads}


def check(target: Target) -> Check:
    """Count what is left of the target in every table, payload and file."""
    found: Counter[str] = Counter()
    for holding, identity in keyed(target):
        left = rows.count(holding, identity)
        if left:
            found[f"{holding.table}.{holding.column}"] += left
    for payload in scrub.matching(target):
        found[payload.table] += 1
    kept = files.count(
        owner_id=target.owner_id if target.everything else None, account_ids=target.account_ids
    ) + len(export.files_of(target.owner_id))
    if kept:
        found["kept files"] += kept
    return Check(tables=len(read_schema().columns), payloads=payloads.count(), found=found)


def keyed(target: Target) -> list[tuple[Holding, int]]:
    """Every (holding, id) that concerns the target."""
    pairs = [(h, a) for h in holdings("account") for a in sorted(target.account_ids)]
    if target.everything:
        pairs += [(h, target.owner_id) for h in holdings("member")]
    return pairs
