"""Linked accounts of a member, and by Instagram's id."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts import clock
from accounts.errors import NotFound
from accounts.models import LinkedAccount, User

# PostgreSQL's bigint: beyond it there is no row, and the query would fail.
MAX_ID = 2**63 - 1


def accounts_of(owner: User) -> QuerySet[LinkedAccount]:
    """The member's linked accounts, oldest first; unlinked ones while they can be restored."""
    return LinkedAccount.objects.filter(
        Q(unlinked_at__isnull=True) | Q(restorable_until__gt=clock.now()), owner_id=owner.pk
    ).order_by("pk")


def account_of(owner: User, account_id: int) -> LinkedAccount:
    """Raises NotFound both for a missing account and for another member's."""
    if not 0 < account_id <= MAX_ID:
        raise NotFound
    found = LinkedAccount.objects.filter(pk=account_id, owner_id=owner.pk)[:1]
    account = next(iter(found), None)
    if account is None or not _is_restorable(account):
        raise NotFound
    return account


def _is_restorable(account: LinkedAccount) -> bool:
    """The condition of `accounts_of`, without reading the clock if it does not matter."""
    if account.unlinked_at is None:
        return True
    until = account.restorable_until
    return until is not None and until > clock.now()


def accounts_by_instagram_id(instagram_id: str) -> QuerySet[LinkedAccount]:
    """All links of an account, by either id: Meta does not say which one callbacks name."""
    return LinkedAccount.objects.filter(
        Q(instagram_id=instagram_id) | Q(app_scoped_id=instagram_id)
    ).order_by("pk")
