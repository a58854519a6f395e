"""Findings open for staff, and marking them as harmless."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts import clock
from accounts.models import ResidueFinding, User


def open_findings() -> QuerySet[ResidueFinding]:
    """Findings that staff have not judged yet, oldest first."""
    return ResidueFinding.objects.filter(cleared_at=None).order_by("pk")


def clear(*, finding: ResidueFinding, staff: User) -> None:
    """Mark as judged by staff: no residue, or already handled."""
    ResidueFinding.objects.filter(pk=finding.pk, cleared_at=None).update(
        cleared_at=clock.now(), cleared_by=staff
    )
