"""The end of an erasure: the last look, the last rows, the receipt; in one transaction."""

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

#: How long after it the nightly search looks for an erased person's words.
IDENTIFIER_HASH_DAYS_AFTER = 30
LATE_ROWS = 10_000

State = DeletionRequest.State


class ResidueLeft(Exception):
    """Rows are still there that no step erased; the erasure is not done."""


def finish(deletion: DeletionRequest, target: Target) -> None:
    """Look once more with the door locked, delete the last rows and sign the receipt.

    By now the list of erasures holds it (`erasure_list`), so it stays done after a restore.

    Whoever commits data of an account holds a lock on its row; this takes the row's exclusive
    lock, so that nothing comes after the look. Raises ResidueLeft, which undoes everything here.
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
    """What was committed between the last batch and the lock, and what is only detached."""
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
    """By plain SQL: a row that still points here makes the commit fail, rather than cascade."""
    if accounts:
        counts[kind_of(ROOTS["account"])] += _delete(ROOTS["account"], [a.pk for a in accounts])
    if target.everything:
        counts[kind_of(ROOTS["member"])] += _delete(ROOTS["member"], [target.owner_id])


def _delete(table: str, ids: list[int]) -> int:
    return sql.execute(f'DELETE FROM "{table}" WHERE id = ANY(%s)', [ids])  # noqa: S608


def _complete(deletion: DeletionRequest, counts: Counter[str], checked: Check) -> None:
    """Write the receipt and forget whose it was."""
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
    """Smaller erasures of the same member that had failed are carried out by this one."""
    for other in DeletionRequest.objects.filter(owner_id=owner_id):
        if other.is_open:
            other.started_at = other.started_at or clock.now()
            _complete(other, Counter(other.erased), checked)
    DeletionRequest.objects.filter(owner_id=owner_id).update(account_id=None, owner_id=None)
