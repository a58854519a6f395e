"""Completion of an erasure: final check, last rows and receipt, in one transaction."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from accounts import clock
from accounts.models import DeletionRequest, LinkedAccount
from accounts.services import receipts
from accounts.services.erasure import rows, sql
from accounts.services.erasure.data_map import ROOTS
from accounts.services.erasure.residue_check import Check, check, keyed
from accounts.services.erasure.scrub import Target
from accounts.services.erasure.steps import kind_of, steps

#: How long the nightly search looks for an erased person's words.
IDENTIFIER_HASH_DAYS_AFTER = 30
LATE_ROWS = 10_000

State = DeletionRequest.State


class ResidueLeft(Exception):
    """Rows remain that no step erased; the erasure is not complete."""


def finish(deletion: DeletionRequest, target: Target) -> None:
    """Check again under lock, delete the last rows and sign the receipt.

    The erasure is already in the list of erasures (`erasure_list`), so it is repeated after a
    restore. Every writer of an account's data locks its row; this takes the row's exclusive lock,
    so that nothing is written after the check. Raises ResidueLeft, which rolls everything back.
    """
    accounts = list(LinkedAccount.objects.select_for_update().filter(pk__in=target.account_ids))
    counts = Counter(deletion.erased)
    _erase_late_rows(deletion, target, counts)
    if deletion.scope:
        _complete(deletion, counts, Check(tables=0, payloads=0, found=Counter()))
        return
    checked = check(target)
    if checked.found:
        raise ResidueLeft(", ".join(sorted(checked.found)))
    _delete_roots(target, accounts, counts)
    _complete(deletion, counts, checked)
    if target.everything:
        _close_others(target.owner_id, checked)


def _erase_late_rows(deletion: DeletionRequest, target: Target, counts: Counter[str]) -> None:
    """Erase rows committed between the last batch and the lock, and rows only detached."""
    for step in steps(deletion, target):
        while erased := step.erase(LATE_ROWS):
            counts[step.kind] += erased
            if step.once:
                break
    if not deletion.scope:
        for holding, identity in keyed(target):
            if holding.action == "detach":
                rows.delete_batch(holding, identity, LATE_ROWS)


def _delete_roots(target: Target, accounts: list[LinkedAccount], counts: Counter[str]) -> None:
    """By plain SQL: a row that still refers to these makes the commit fail, rather than cascade."""
    if accounts:
        counts[kind_of(ROOTS["account"])] += _delete(ROOTS["account"], [a.pk for a in accounts])
    if target.everything:
        counts[kind_of(ROOTS["member"])] += _delete(ROOTS["member"], [target.owner_id])


def _delete(table: str, ids: list[int]) -> int:
    return sql.execute(f'DELETE FROM "{table}" WHERE id = ANY(%s)', [ids])  # noqa: S608


def _complete(deletion: DeletionRequest, counts: Counter[str], checked: Check) -> None:
    """Write the receipt and clear the ids."""
    deletion.state = State.COMPLETED
    deletion.completed_at = clock.now()
    deletion.account_id = deletion.owner_id = None
    deletion.worker = deletion.claimed_until = deletion.not_before = None
    deletion.failures, deletion.error_code = 0, ""
    deletion.erased = {kind: number for kind, number in sorted(counts.items()) if number}
    deletion.residue = checked.as_json()
    deletion.receipt = receipts.issue(deletion)
    deletion.save()
    deletion.entries.update(deletion=None)
    deletion.needles.update(
        until=deletion.completed_at + timedelta(days=IDENTIFIER_HASH_DAYS_AFTER)
    )


def _close_others(owner_id: int, checked: Check) -> None:
    """Complete smaller erasures of the same member that had failed."""
    for other in DeletionRequest.objects.filter(owner_id=owner_id):
        if other.is_open:
            other.started_at = other.started_at or clock.now()
            _complete(other, Counter(other.erased), checked)
    DeletionRequest.objects.filter(owner_id=owner_id).update(account_id=None, owner_id=None)
