"""Queue tasks of accounts; each takes only ids and may run twice."""

from __future__ import annotations

import logging

from django.core.management import call_command

from accounts.errors import Conflict, ThreadsiteError, UnlinkedByInstagram
from accounts.files.storage import StorageFailed
from accounts.models import ConsentEvent, LinkedAccount, User
from accounts.queue import enqueue
from accounts.services import (
    erasure,
    export,
    linking,
    nightly,
    notices,
    periodic_jobs,
    suppression,
    tokens,
    webhook_subscription,
)

logger = logging.getLogger(__name__)


def wake() -> list[str]:
    """The only schedule of django-q2's, each minute: enqueue what is due by our own clock."""
    return periodic_jobs.enqueue_due()


def refresh_tokens() -> int:
    """Scheduled: enqueue one refresh for each token that is due; returns how many."""
    tokens.mark_expired()
    due = tokens.refresh_due()
    for account_id in due:
        enqueue("accounts.tasks.refresh_token", account_id)
    return len(due)


def refresh_token(account_id: int) -> bool:
    """Refresh one account's token; a failure of one account never stops the others."""
    try:
        return tokens.refresh(account_id)
    except UnlinkedByInstagram:
        unlinked_by_instagram(account_id)
    except ThreadsiteError as error:
        logger.error("token of account %d not refreshed: %s", account_id, error)
    return False


def unlinked_by_instagram(account_id: int) -> None:
    """The member removed our app at Instagram: unlink and erase now."""
    account = LinkedAccount.objects.filter(pk=account_id).first()
    if account is None:
        return
    try:
        linking.unlink(account=account, erase="now", channel=ConsentEvent.Channel.INSTAGRAM)
    except Conflict:
        logger.info("account %d was unlinked already", account_id)


def subscribe_accounts() -> int:
    """Scheduled each night: subscribe accounts that have no webhooks yet."""
    due = webhook_subscription.due()
    for account_id in due:
        enqueue("accounts.tasks.subscribe", account_id)
    return len(due)


def subscribe(account_id: int) -> bool:
    """Subscribe an account to webhooks, or unsubscribe it if its list may not be read."""
    try:
        return webhook_subscription.unsubscribe(account_id) or webhook_subscription.subscribe(
            account_id
        )
    except UnlinkedByInstagram:
        unlinked_by_instagram(account_id)
    except ThreadsiteError as error:
        logger.info("webhooks of account %d: %s", account_id, error.code)
    return False


def mail_reconnect_needed(account_id: int) -> bool:
    account = LinkedAccount.objects.select_related("owner").filter(pk=account_id).first()
    if account is None or account.needs_reconnect_since is None or account.unlinked_at:
        return False
    return notices.reconnect_needed(account)


def notify_member(owner_id: int, notice: str) -> bool:
    """One of `notices.NOTICES`; does nothing if the member no longer exists."""
    owner = User.objects.filter(pk=owner_id).first()
    return owner is not None and notices.notify_member(owner, notice)


def clear_expired_program_tokens() -> None:
    """Scheduled: delete expired tokens, which allauth keeps until this runs."""
    call_command("oidc_cleartokens", verbosity=0)


def run_deletion(deletion_id: int) -> bool:
    """One slice of an erasure; enqueues itself again while there is more."""
    more = erasure.advance(deletion_id)
    if more:
        enqueue("accounts.tasks.run_deletion", deletion_id)
    return more


def run_export(export_id: int) -> bool:
    """Make a member's export."""
    return export.advance(export_id)


def run_person_request(request_id: int) -> bool:
    """Remove a non-member from all tables, in slices."""
    try:
        more = suppression.advance(request_id)
    except StorageFailed as error:
        logger.warning("request %d waits: %s", request_id, error)
        return False
    if more:
        enqueue("accounts.tasks.run_person_request", request_id)
    return more


def work_night(night_job_id: int) -> bool:
    """One slice of nightly work; enqueues the next piece while there is more."""
    more = nightly.work_slice(night_job_id)
    if more:
        nightly.enqueue_due()
    return more


def privacy_tick() -> int:
    """Scheduled each minute: enqueue all open work without a lease; returns how many.

    The task can be lost with its worker; what is due is in our own rows.
    """
    open_work = {
        "accounts.tasks.run_deletion": erasure.due(),
        "accounts.tasks.run_export": export.due(),
        "accounts.tasks.run_person_request": suppression.due(),
    }
    for task, ids in open_work.items():
        for identity in ids:
            enqueue(task, identity)
    return sum(map(len, open_work.values())) + nightly.enqueue_due()
