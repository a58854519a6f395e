"""What waits for staff: erasures that fail, requests with a deadline, doubtful residue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Count, Q

from accounts import clock
from accounts.models import (
    DeletionRequest,
    LinkedAccount,
    NightJob,
    PrivacyRequest,
    ResidueFinding,
)

#: By when a night's work should be done.
NIGHT: Final = timedelta(hours=12)


@dataclass(frozen=True)
class Duties:
    """Counts. `requests_late` are past the month of GDPR article 12 (3)."""

    deletions: dict[str, int]
    requests_open: int
    requests_late: int
    residue_doubtful: int


def nights() -> list[NightJob]:
    """Nightly work as it stands, what took longest first."""
    return list(NightJob.objects.order_by("-seconds", "name"))


def nights_wanting_care() -> list[NightJob]:
    """Nightly work that fails, or was begun so long ago that its night is over."""
    begun_before = clock.now() - clock.for_real(NIGHT)
    late = Q(finished_at=None, started_at__lt=begun_before) | Q(failures__gt=0)
    return list(NightJob.objects.filter(late).order_by("name"))


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
