"""Quotas counted atomically in PostgreSQL: DRF's throttles race over the cache."""

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
    # The ledger is never emptied. Withdrawals are not counted: each needs a grant.
    "grant": Quota(120, timedelta(hours=1)),
}


class QuotaUsedUp(WaitUntil):
    """The quota is used up; `at` is when the next use is free."""

    code = "quota_used_up"
    detail = _("You have done this too often in a short time. Please wait, and try again then.")


#: Of visitors: by their network address, or the e-mail address they give.
VISITOR_QUOTAS: Final[dict[str, Quota]] = {
    # A session is stored for each sign-in by Instagram or passkey that is begun.
    "session": Quota(120, timedelta(hours=1)),
    # Staff must answer each within 28 days.
    "privacy_from_address": Quota(10, timedelta(days=1)),
    "privacy_for_contact": Quota(3, timedelta(days=1)),
    # Each creates a member and hashes a password.
    "signup": Quota(60, timedelta(days=1)),
    "signup_for_address": Quota(5, timedelta(days=1)),
    # Each takes two entries of the cache, which holds everybody's codes and limits.
    "device_code": Quota(120, timedelta(hours=1)),
    # A wrong secret of a program: comparing one costs as much as a password.
    "program_secret": Quota(30, timedelta(hours=1)),
}


def spend(*, user_id: int, name: str) -> None:
    """Count one use of the quota `name`. Raises QuotaUsedUp, and counts nothing, if none is left.

    One statement, so that concurrent requests never exceed the quota. Counted within the caller's
    transaction: what is rolled back was not used.
    """
    quota = QUOTAS[name]
    if not _counted("accounts_quotause", "user_id", user_id, name, quota):
        used = QuotaUse.objects.get(user_id=user_id, name=name)
        raise QuotaUsedUp(used.spent_until + quota.share - quota.period)


def spend_of_visitor(*, mark: str, name: str) -> None:
    """The same for a visitor; `mark`: an address of theirs, stored only as a keyed hash."""
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
    """Delete up to `limit` rows without effect; returns how many."""
    ended = VisitorQuotaUse.objects.filter(spent_until__lt=clock.now()).values("pk")[:limit]
    return VisitorQuotaUse.objects.filter(pk__in=ended).delete()[0]
