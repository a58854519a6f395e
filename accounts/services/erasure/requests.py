"""Requesting an erasure: access stops at once, and the queue erases the rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from allauth.idp.oidc.models import Token
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import clock, queue, signals
from accounts.errors import Conflict
from accounts.models import DeletionRequest, LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import consent, notices, receipts, revocation

RUN = "accounts.tasks.run_deletion"
State = DeletionRequest.State


@transaction.atomic
def request_account_erasure(
    *, account: LinkedAccount, channel: str, not_before: datetime | None = None
) -> DeletionRequest:
    """Stop the account for good and erase everything keyed to it, or only at `not_before`.

    Idempotent: an open erasure is returned as it is, or begins at once if it was waiting and now
    must not. `salt` on the returned object is shown to the member once; no later call knows it.
    """
    account = LinkedAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    stop(account=account, channel=channel)
    whole = DeletionRequest.objects.filter(
        owner_id=account.owner_id, everything=True, state__in=DeletionRequest.OPEN
    ).first()
    if whole is not None:
        return whole
    existing = _open(account_id=account.pk, scope="")
    if existing is not None:
        return start_now(existing) if not_before is None else existing
    return _create(
        subjects=subjects_of([account]),
        channel=channel,
        account_id=account.pk,
        owner_id=account.owner_id,
        not_before=not_before,
    )


@transaction.atomic
def request_scope_erasure(*, account: LinkedAccount, scope: Scope, channel: str) -> DeletionRequest:
    """Erase the data of `scope`; the account itself stays linked."""
    existing = _open(account_id=account.pk, scope=scope.value)
    if existing is not None:
        return existing
    return _create(
        subjects=subjects_of([account]),
        channel=channel,
        account_id=account.pk,
        owner_id=account.owner_id,
        scope=scope.value,
    )


@transaction.atomic
def request_full_erasure(*, owner: User, channel: str) -> DeletionRequest:
    """Erase the member with all accounts; they are signed out everywhere at once.

    A page that calls this also logs out the request's own session, since its row is deleted.
    """
    owner = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    accounts = list(LinkedAccount.objects.filter(owner=owner).order_by("pk"))
    for account in accounts:
        stop(account=account, channel=channel)
    _end_access(owner)
    existing = DeletionRequest.objects.filter(
        owner_id=owner.pk, everything=True, state__in=DeletionRequest.OPEN
    ).first()
    if existing is not None:
        return existing
    DeletionRequest.objects.filter(owner_id=owner.pk, state=State.SCHEDULED).update(
        state=State.REQUESTED, not_before=None
    )
    # Now, since the queue would find no address; a failed mail does not stop the erasure.
    # (Not by a partial: Django names the function in the log, and a partial has no name.)
    transaction.on_commit(lambda: notices.notify_member(owner, "everything_deleted"), robust=True)
    return _create(
        subjects=subjects_of(accounts) or [f"member:{owner.username}"],
        channel=channel,
        owner_id=owner.pk,
        everything=True,
    )


def stop(*, account: LinkedAccount, channel: str) -> None:
    """Destroy the token, end consents and requests: at once and idempotent."""
    by_instagram = channel == DeletionRequest.Channel.INSTAGRAM
    revocation.end_token(account=account, revoke_at_instagram=not by_instagram)
    if account.unlinked_at is not None:
        return
    consent.end_all(
        account=account, channel=channel, keep_data=False, language=account.owner.language
    )
    account.unlinked_at = clock.now()
    account.save(update_fields=["unlinked_at"])
    signals.account_unlinked.send(LinkedAccount, account=account, channel=channel)


@transaction.atomic
def cancel(*, deletion: DeletionRequest) -> DeletionRequest:
    """Cancel an erasure that has not begun; raises Conflict afterwards. Relinking does this too."""
    called_off = DeletionRequest.objects.filter(pk=deletion.pk, state=State.SCHEDULED).update(
        state=State.CANCELLED, account_id=None, owner_id=None, not_before=None, commitment=""
    )
    if not called_off:
        raise Conflict(
            "deletion_begun", _("This deletion has begun and can no longer be called off.")
        )
    deletion.refresh_from_db()
    return deletion


def cancel_scheduled(*, account: LinkedAccount) -> bool:
    """Cancel the account's waiting erasure; whether there was one."""
    waiting = DeletionRequest.objects.filter(
        account_id=account.pk, scope="", state=State.SCHEDULED
    ).first()
    if waiting is None:
        return False
    cancel(deletion=waiting)
    return True


def start_now(deletion: DeletionRequest) -> DeletionRequest:
    """Begin a waiting erasure now."""
    hastened = DeletionRequest.objects.filter(pk=deletion.pk, state=State.SCHEDULED).update(
        state=State.REQUESTED, not_before=None
    )
    if hastened:
        LinkedAccount.objects.filter(pk=deletion.account_id or 0).update(restorable_until=None)
        queue.enqueue(RUN, deletion.pk)
        deletion.refresh_from_db()
    return deletion


def retry(*, deletion: DeletionRequest) -> DeletionRequest:
    """Restart a failed erasure, once staff have removed its cause."""
    again = DeletionRequest.objects.filter(pk=deletion.pk, state=State.FAILED).update(
        state=State.REQUESTED, failures=0, not_before=None
    )
    if not again:
        raise Conflict("deletion_not_failed", _("Only a failed deletion can be tried again."))
    queue.enqueue(RUN, deletion.pk)
    deletion.refresh_from_db()
    return deletion


def record_nothing_held(*, channel: str, callback_digest: str | None) -> DeletionRequest:
    """Record a request for data we do not have: it gets a code and a truthful status."""
    now = clock.now()
    deletion = DeletionRequest(
        channel=channel,
        held=False,
        state=State.COMPLETED,
        requested_at=now,
        started_at=now,
        completed_at=now,
        callback_digest=callback_digest,
        residue={"rows": 0, "tables": 0, "payloads": 0},
    )
    deletion.receipt = receipts.issue(deletion)
    deletion.save()
    return deletion


def subjects_of(accounts: Iterable[LinkedAccount]) -> list[str]:
    """How the commitment names accounts; the member can write these down themselves."""
    return sorted(
        f"instagram:{a.instagram_id}" if a.instagram_id else f"name:{a.username.lower()}"
        for a in accounts
    )


def _end_access(owner: User) -> None:
    """End all sessions and programs' access, and disable the password."""
    keys = UserSession.objects.filter(user=owner).values_list("session_key", flat=True)
    Session.objects.filter(session_key__in=list(keys)).delete()
    Token.objects.filter(user=owner).delete()
    owner.is_active = False
    owner.set_unusable_password()
    owner.save(update_fields=["is_active", "password"])


def _open(*, account_id: int, scope: str) -> DeletionRequest | None:
    return DeletionRequest.objects.filter(
        account_id=account_id, scope=scope, state__in=DeletionRequest.OPEN
    ).first()


def _create(
    *,
    subjects: list[str],
    channel: str,
    owner_id: int,
    account_id: int | None = None,
    not_before: datetime | None = None,
    scope: str = "",
    everything: bool = False,
) -> DeletionRequest:
    """A callback of Instagram's cannot be given a salt, so its receipts hold no commitment."""
    salt = "" if channel == DeletionRequest.Channel.INSTAGRAM else receipts.new_salt()
    deletion = DeletionRequest.objects.create(
        account_id=account_id,
        owner_id=owner_id,
        everything=everything,
        scope=scope,
        channel=channel,
        state=State.SCHEDULED if not_before else State.REQUESTED,
        requested_at=clock.now(),
        not_before=not_before,
        commitment=receipts.commitment(salt, subjects) if salt else "",
    )
    deletion.salt = salt
    if not_before is None:
        queue.enqueue(RUN, deletion.pk)
    return deletion
