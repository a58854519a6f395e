from __future__ import annotations

from django.db.models import QuerySet

from accounts import clock
from accounts.models import ResidueFinding, User


def open_findings() -> QuerySet[ResidueFinding]:
    """What staff have not judged yet, oldest first."""
    return ResidueFinding.objects.filter(cleared_at=None).order_by("pk")


def clear(*, finding: ResidueFinding, staff: User) -> None:
    """A member of staff has looked: it was no residue, or they have seen to it."""
    ResidueFinding.objects.filter(pk=finding.pk, cleared_at=None).update(
        cleared_at=clock.now(), cleared_by=staff
    )
