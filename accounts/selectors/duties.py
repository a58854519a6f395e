"""What waits for staff: erasures that fail, requests with a deadline, doubtful residue."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from accounts import clock
from accounts.models import DeletionRequest, LinkedAccount, PrivacyRequest, ResidueFinding


@dataclass(frozen=True)
class Duties:
    """Counts. `requests_late` are past the month of GDPR article 12 (3)."""

    deletions: dict[str, int]
    requests_open: int
    requests_late: int
    residue_doubtful: int


def accounts_by_state() -> dict[str, int]:
    """How many linked accounts are in each state, as LinkedAccount.state names them."""
    live = Q(unlinked_at=None)
    paused, ended = Q(paused_at=None), Q(needs_reconnect_since=None)
    return LinkedAccount.objects.aggregate(
        active=Count("pk", filter=live & paused & ended),
        paused=Count("pk", filter=live & ~paused),
        needs_reconnect=Count("pk", filter=live & paused & ~ended),
        unlinked=Count("pk", filter=~live),
    )


def duties() -> Duties:
    """Three small queries."""
    deletions = DeletionRequest.objects.order_by().values_list("state").annotate(n=Count("pk"))
    waiting = PrivacyRequest.objects.filter(state=PrivacyRequest.State.OPEN).aggregate(
        n=Count("pk"), late=Count("pk", filter=Q(due_at__lt=clock.now()))
    )
    return Duties(
        deletions=dict(deletions),
        requests_open=waiting["n"],
        requests_late=waiting["late"],
        residue_doubtful=ResidueFinding.objects.filter(cleared_at=None).count(),
    )
