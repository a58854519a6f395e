"""Quotas that matter, counted atomically in PostgreSQL: DRF's throttles race over the cache."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.errors import WaitUntil
from accounts.models.quota import QuotaUse

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Quota:
    """`times` within any `period`, all at once if need be."""

    times: int
    period: timedelta

    @property
    def share(self) -> timedelta:
        return self.period / self.times


QUOTAS: Final[dict[str, Quota]] = {
    "sync": Quota(120, timedelta(hours=1)),
    "link": Quota(120, timedelta(hours=1)),
    "import": Quota(120, timedelta(hours=1)),
    "transfer": Quota(1200, timedelta(hours=1)),
    "export": Quota(10, timedelta(days=1)),
    "erasure": Quota(120, timedelta(hours=1)),
    "webhook": Quota(60, timedelta(hours=1)),
}


class QuotaUsedUp(WaitUntil):
    """Asked too often; `at` is when the next one is free."""

    code = "quota_used_up"
    detail = _("You have done this too often in a short time. Please wait, and try again then.")


def spend(*, user_id: int, name: str) -> None:
    """Count one use of the quota `name`. Raises QuotaUsedUp, and counts nothing, if none is left.

    One statement, so that of any number of requests at a time no more than allowed pass. Counted
    within the caller's transaction: what is rolled back was not used.
    """
    quota, now = QUOTAS[name], clock.now()
    parameters: dict[str, Any] = {
        "user": user_id, "name": name, "now": now, "share": quota.share, "period": quota.period,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO accounts_quotause AS used (user_id, name, spent_until)
            VALUES (%(user)s, %(name)s, %(now)s + %(share)s)
            ON CONFLICT (user_id, name) DO UPDATE
               SET spent_until = greatest(used.spent_until, %(now)s) + %(share)s
             WHERE greatest(used.spent_until, %(now)s) + %(share)s <= %(now)s + %(period)s
            RETURNING spent_until
            """,
            parameters,
        )
        if cursor.fetchone() is None:
            raise QuotaUsedUp(_next_free(user_id, name))


def _next_free(user_id: int, name: str) -> datetime:
    quota = QUOTAS[name]
    used = QuotaUse.objects.get(user_id=user_id, name=name)
    return used.spent_until + quota.share - quota.period


def erase_of_owner(owner_id: int, limit: int) -> int:
    """Eraser: a member's use of all quotas (a handful of rows, whatever `limit` says)."""
    return QuotaUse.objects.filter(user_id=owner_id).delete()[0]
