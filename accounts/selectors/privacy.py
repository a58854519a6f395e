"""Erasures and exports of a member, and the public status of an erasure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.errors import NotFound
from accounts.models import DataExport, DeletionRequest, User
from accounts.selectors.retention_rules import Rule, retention_rules

__all__ = [
    "DeletionStatus",
    "Rule",
    "deletion_status",
    "deletions_of",
    "export_of",
    "exports_of",
    "retention_rules",
]


@dataclass(frozen=True)
class DeletionStatus:
    """An erasure as anybody with its code may see it: no personal data.

    `held` false: nothing was stored about the person.
    """

    confirmation_code: str
    state: str
    everything: bool
    held: bool
    requested_at: datetime
    not_before: datetime | None
    completed_at: datetime | None
    erased: dict[str, int]
    receipt: dict[str, Any] | None


def deletion_status(code: str) -> DeletionStatus:
    """By confirmation code, in any case; raises NotFound."""
    deletion = DeletionRequest.objects.filter(code=code.strip().upper()[:32]).first()
    if deletion is None:
        raise NotFound
    return DeletionStatus(
        confirmation_code=deletion.code,
        state=deletion.state,
        everything=deletion.everything,
        held=deletion.held,
        requested_at=deletion.requested_at,
        not_before=deletion.not_before if deletion.is_open else None,
        completed_at=deletion.completed_at,
        erased=deletion.erased,
        receipt=deletion.receipt,
    )


def exports_of(owner: User) -> QuerySet[DataExport]:
    """The member's exports, newest first."""
    return DataExport.objects.filter(owner_id=owner.pk).order_by("-pk")


def export_of(owner: User, export_id: int) -> DataExport:
    """Raises NotFound both for a missing export and for another member's."""
    found = exports_of(owner).filter(pk=export_id).first() if 0 < export_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


def deletions_of(owner: User) -> QuerySet[DeletionRequest]:
    """The member's own erasures that have not ended, newest first."""
    return DeletionRequest.objects.filter(owner_id=owner.pk).order_by("-pk")
