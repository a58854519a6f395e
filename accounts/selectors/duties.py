"""Open work for staff: failing erasures, overdue requests, possible residue, late nightly work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Count, Q
from django.db.models.functions import Coalesce

from accounts import clock
from accounts.models import (
    AccessToken,
    DeletionRequest,
    LinkedAccount,
    NightJob,
    PrivacyRequest,
    ResidueFinding,
)

#: An erasure takes minutes; one that is open for longer than this needs staff.
ERASURE_OVERDUE: Final = timedelta(hours=24)
#: Tokens are refreshed weeks before they end: one that ends so soon is not refreshed any more.
TOKEN_EXPIRING: Final = timedelta(days=7)
#: How long a night's work may take.
NIGHT: Final = timedelta(hours=12)


@dataclass(frozen=True)
class Duties:
    """Counts. `requests_late` are past the month of GDPR article 12 (3)."""

    deletions: dict[str, int]
    requests_open: int
    requests_late: int
    residue_doubtful: int


def nights() -> list[NightJob]:
    """All nightly work, the longest first."""
    return list(NightJob.objects.order_by("-seconds", "name"))


def overdue_nightly_work() -> list[NightJob]:
    """Nightly work that fails, or was begun so long ago that its night is over."""
    begun_before = clock.now() - clock.for_real(NIGHT)
    late = Q(finished_at=None, started_at__lt=begun_before) | Q(failures__gt=0)
    return list(NightJob.objects.filter(late).order_by("name"))


def accounts_by_state() -> dict[str, int]:
    """How many linked accounts are in each state of LinkedAccount.state."""
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


def deadline_counts() -> dict[str, int]:
    """What has a deadline and may be late: erasures, requests, tokens. Names nobody."""
    now = clock.now()
    erasures = (
        DeletionRequest.objects.filter(state__in=["requested", "running", "failed"])
        .alias(due_at=Coalesce("not_before", "requested_at"))
        .aggregate(
            n=Count("pk"),
            overdue=Count("pk", filter=Q(due_at__lt=now - clock.for_real(ERASURE_OVERDUE))),
            failed=Count("pk", filter=Q(state=DeletionRequest.State.FAILED)),
        )
    )
    waiting = duties()
    tokens = AccessToken.objects.filter(
        account__unlinked_at=None, account__needs_reconnect_since=None
    ).aggregate(
        expired=Count("pk", filter=Q(expires_at__lte=now)),
        expiring=Count("pk", filter=Q(expires_at__gt=now, expires_at__lte=now + TOKEN_EXPIRING)),
    )
    return {
        "erasures_open": erasures["n"],
        "erasures_overdue": erasures["overdue"],
        "erasures_failed": erasures["failed"],
        "privacy_requests_open": waiting.requests_open,
        "privacy_requests_overdue": waiting.requests_late,
        "residue_findings": waiting.residue_doubtful,
        "tokens_expiring": tokens["expiring"],
        "tokens_expired": tokens["expired"],
    }
