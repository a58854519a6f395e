"""State of a link: pausing, resuming, and marking that it must be reconnected."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import clock, signals
from accounts.errors import Conflict, NotAllowed, NotFound
from accounts.models import LinkedAccount, User
from accounts.queue import enqueue


def locked(account_id: int) -> LinkedAccount:
    """The account's row, locked until the transaction ends. Raises NotFound.

    Not its key (NO KEY UPDATE): a worker that commits rows of the account must check that key,
    while the caller of this waits for the worker's run.
    """
    account = LinkedAccount.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    return account


def locked_live(account_id: int) -> LinkedAccount:
    """As `locked`; raises Conflict if it is unlinked."""
    account = locked(account_id)
    if account.unlinked_at:
        raise Conflict("unlinked", _("This account is unlinked. Link it again to go on."))
    return account


@transaction.atomic
def pause(*, account: LinkedAccount, actor: User) -> LinkedAccount:
    """From the next request on nothing is fetched. Raises Conflict if it is paused already."""
    _owner_or_staff(account, actor)
    account = locked_live(account.pk)
    if account.paused_at:
        raise Conflict("already_paused", _("This account is paused already."))
    account.paused_at = clock.now()
    account.save(update_fields=["paused_at"])
    signals.account_paused.send(LinkedAccount, account=account)
    return account


@transaction.atomic
def resume(*, account: LinkedAccount, actor: User) -> LinkedAccount:
    """Raises Conflict if it is not paused."""
    _owner_or_staff(account, actor)
    account = locked_live(account.pk)
    if not account.paused_at:
        raise Conflict("not_paused", _("This account is not paused."))
    account.paused_at = None
    account.save(update_fields=["paused_at"])
    signals.account_resumed.send(LinkedAccount, account=account)
    return account


@transaction.atomic
def mark_needs_reconnect(*, account: LinkedAccount, reason: str) -> bool:
    """The member must reconnect. They are notified once; True if this call did it."""
    changed = LinkedAccount.objects.filter(
        pk=account.pk, unlinked_at__isnull=True, needs_reconnect_since__isnull=True
    ).update(needs_reconnect_since=clock.now(), reconnect_reason=reason)
    if not changed:
        return False
    account.refresh_from_db()
    signals.account_needs_reconnect.send(LinkedAccount, account=account)
    enqueue("accounts.tasks.mail_reconnect_needed", account.pk)
    return True


def _owner_or_staff(account: LinkedAccount, actor: User) -> None:
    if actor.pk != account.owner_id and not actor.is_staff:
        raise NotAllowed
