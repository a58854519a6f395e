"""Limits how many outbound jobs run at once for each member, so that none waits for others."""

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
#: How long a slot stays taken where its worker died: longer than the queue lets a task run.
LEASE: Final = timedelta(minutes=3)


@transaction.atomic
def take(job: QuerySet[Any], *, owner_id: int, jobs_of_owner: QuerySet[Any]) -> bool:
    """Lease the one row of `job` (`leased_until`). False: it is at work, or enough others are.

    Decided under a lock on the member's row, so that of many workers no more than allowed pass.
    """
    User.objects.select_for_update(no_key=True).filter(pk=owner_id).first()
    now = clock.now()
    if jobs_of_owner.filter(leased_until__gt=now).count() >= MOST_AT_ONCE:
        return False
    free = job.filter(Q(leased_until=None) | Q(leased_until__lte=now))
    return free.update(leased_until=now + clock.for_real(LEASE)) == 1


def give_back(job: QuerySet[Any]) -> None:
    job.update(leased_until=None)
