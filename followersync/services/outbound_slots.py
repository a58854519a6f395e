"""Outbound slots: limit concurrent outbound jobs for each member, so that none delays others."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Q

from accounts import clock
from accounts.models import User

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_AT_ONCE: Final = 2
#: How long a dead worker's slot stays taken: longer than the queue's task timeout.
LEASE: Final = timedelta(minutes=3)


@transaction.atomic
def take(job: QuerySet[Any], *, owner_id: int, jobs_of_owner: QuerySet[Any]) -> bool:
    """Lease the row of `job` (`leased_until`). False: another worker has it, or enough others run.

    Decided under a lock on the member's row, so that concurrent workers respect the limit.
    """
    User.objects.select_for_update(no_key=True).filter(pk=owner_id).first()
    now = clock.now()
    if jobs_of_owner.filter(leased_until__gt=now).count() >= MOST_AT_ONCE:
        return False
    free = job.filter(Q(leased_until=None) | Q(leased_until__lte=now))
    return free.update(leased_until=now + clock.for_real(LEASE)) == 1


def give_back(job: QuerySet[Any]) -> None:
    job.update(leased_until=None)
