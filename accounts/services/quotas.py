"""Quotas that matter, counted atomically in PostgreSQL: DRF's throttles race over the cache."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from accounts import clock
from accounts.errors import WaitUntil
from accounts.models.quota import QuotaUse, VisitorQuotaUse


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
    # The ledger is never emptied. Withdrawals are not counted, for there are no more of them.
    "grant": Quota(120, timedelta(hours=1)),
}


class QuotaUsedUp(WaitUntil):
    """Asked too often; `at` is when the next one is free."""

    code = "quota_used_up"
    detail = _("You have done this too often in a short time. Please wait, and try again then.")


#: Of somebody who is not signed in: by the address they come from, or the one they give.
VISITOR_QUOTAS: Final[dict[str, Quota]] = {
    # A session is stored for each way to Instagram, and for each passkey that is asked for.
    "session": Quota(120, timedelta(hours=1)),
    # Each is a duty of 28 days for staff.
    "privacy_from_address": Quota(10, timedelta(days=1)),
    "privacy_for_contact": Quota(3, timedelta(days=1)),
    # Each makes a member, and a password that is hashed.
    "signup": Quota(60, timedelta(days=1)),
    "signup_for_address": Quota(5, timedelta(days=1)),
    # Each fills two entries of the cache, which holds everybody's codes and limits.
    "device_code": Quota(120, timedelta(hours=1)),
    # A wrong secret of a program: to compare one costs as much as a password.
    "program_secret": Quota(30, timedelta(hours=1)),
}


def spend(*, user_id: int, name: str) -> None:
    """Count one use of the quota `name`. Raises QuotaUsedUp, and counts nothing, if none is left.

    One statement, so that of any number of requests at a time no more than allowed pass. Counted
    within the caller's transaction: what is rolled back was not used.
    """
    quota = QUOTAS[name]
    if not _counted("accounts_quotause", "user_id", user_id, name, quota):
        used = QuotaUse.objects.get(user_id=user_id, name=name)
        raise QuotaUsedUp(used.spent_until + quota.share - quota.period)


def spend_of_visitor(*, mark: str, name: str) -> None:
    """The same for a visitor; `mark`: an address of theirs, which is kept as a keyed hash alone."""
    quota, digest = VISITOR_QUOTAS[name], _digest(mark)
    if not _counted("accounts_visitorquotause", "mark", digest, name, quota):
        used = VisitorQuotaUse.objects.get(mark=digest, name=name)
        raise QuotaUsedUp(used.spent_until + quota.share - quota.period)


def require_left_of_visitor(*, mark: str, name: str) -> None:
    """Raises QuotaUsedUp where `spend_of_visitor` would; counts nothing."""
    quota, digest = VISITOR_QUOTAS[name], _digest(mark)
    used = VisitorQuotaUse.objects.filter(mark=digest, name=name).first()
    if used is not None and used.spent_until + quota.share > clock.now() + quota.period:
        raise QuotaUsedUp(used.spent_until + quota.share - quota.period)


def _digest(mark: str) -> str:
    return salted_hmac("accounts.visitor", mark).hexdigest()


def _counted(table: str, column: str, whose: int | str, name: str, quota: Quota) -> bool:
    """`table` and `column` are our own words, never input."""
    parameters: dict[str, Any] = {
        "whose": whose,
        "name": name,
        "now": clock.now(),
        "share": quota.share,
        "period": quota.period,
    }
    statement = sql.SQL(
        """
        INSERT INTO {table} AS used ({whose}, name, spent_until)
        VALUES (%(whose)s, %(name)s, %(now)s + %(share)s)
        ON CONFLICT ({whose}, name) DO UPDATE
           SET spent_until = greatest(used.spent_until, %(now)s) + %(share)s
         WHERE greatest(used.spent_until, %(now)s) + %(share)s <= %(now)s + %(period)s
        RETURNING spent_until
        """
    ).format(table=sql.Identifier(table), whose=sql.Identifier(column))
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone() is not None


def forget_visitors(*, limit: int) -> int:
    """Delete up to `limit` rows that bind nobody any more; how many there were."""
    ended = VisitorQuotaUse.objects.filter(spent_until__lt=clock.now()).values("pk")[:limit]
    return VisitorQuotaUse.objects.filter(pk__in=ended).delete()[0]
