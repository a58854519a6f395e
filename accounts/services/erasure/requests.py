"""Asking for an erasure: everything stops at once, and the rows go in the queue."""

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
    """Stop the account for good and have everything keyed to it erased, or only at `not_before`.

    Idempotent: an open erasure is returned as it is, hastened if it was to wait and now is not.
    `salt` on the returned object is shown to the member once; no later call knows it.
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
        return hasten(existing) if not_before is None else existing
    return _create(
        subjects=subjects_of([account]),
        channel=channel,
        account_id=account.pk,
        owner_id=account.owner_id,
        not_before=not_before,
    )


@transaction.atomic
def request_scope_erasure(*, account: LinkedAccount, scope: Scope, channel: str) -> DeletionRequest:
    """Have what the consent to `scope` paid for erased; the account itself stays linked."""
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
    """Have the member erased with all accounts; they are signed out everywhere at once.

    A page that calls this logs the request's own session out too, since its row is gone.
    """
    owner = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    accounts = list(LinkedAccount.objects.filter(owner=owner).order_by("pk"))
    for account in accounts:
        stop(account=account, channel=channel)
    _shut_out(owner)
    existing = DeletionRequest.objects.filter(
        owner_id=owner.pk, everything=True, state__in=DeletionRequest.OPEN
    ).first()
    if existing is not None:
        return existing
    DeletionRequest.objects.filter(owner_id=owner.pk, state=State.SCHEDULED).update(
        state=State.REQUESTED, not_before=None
    )
    # Now, since the queue would find no address any more; a mail that fails stops no erasure.
    # (Not by a partial: Django names the function in the log, and a partial has no name.)
    transaction.on_commit(lambda: _tell(owner), robust=True)
    return _create(
        subjects=subjects_of(accounts) or [f"member:{owner.username}"],
        channel=channel,
        owner_id=owner.pk,
        everything=True,
    )


def stop(*, account: LinkedAccount, channel: str) -> None:
    """Token gone, consents ended, no request more: at once, and harmless when repeated."""
    told = channel == DeletionRequest.Channel.INSTAGRAM
    revocation.end_token(account=account, tell_instagram=not told)
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
    """Call off what has not begun; raises Conflict afterwards. Relinking does this too."""
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
    """Call off the account's waiting erasure, if there is one; says whether there was."""
    waiting = DeletionRequest.objects.filter(
        account_id=account.pk, scope="", state=State.SCHEDULED
    ).first()
    if waiting is None:
        return False
    cancel(deletion=waiting)
    return True


def hasten(deletion: DeletionRequest) -> DeletionRequest:
    """Begin now what was to wait."""
    hastened = DeletionRequest.objects.filter(pk=deletion.pk, state=State.SCHEDULED).update(
        state=State.REQUESTED, not_before=None
    )
    if hastened:
        LinkedAccount.objects.filter(pk=deletion.account_id or 0).update(restorable_until=None)
        queue.enqueue(RUN, deletion.pk)
        deletion.refresh_from_db()
    return deletion


def retry(*, deletion: DeletionRequest) -> DeletionRequest:
    """Staff set a failed erasure going again, once its cause is mended."""
    again = DeletionRequest.objects.filter(pk=deletion.pk, state=State.FAILED).update(
        state=State.REQUESTED, failures=0, not_before=None
    )
    if not again:
        raise Conflict("deletion_not_failed", _("Only a failed deletion can be tried again."))
    queue.enqueue(RUN, deletion.pk)
    deletion.refresh_from_db()
    return deletion


def erasing(account_id: int, scope: Scope | None = None) -> bool:
    """Is an erasure under way that must end before new data of this kind may be written?"""
    scopes = ["", scope.value] if scope else [""]
    return DeletionRequest.objects.filter(
        account_id=account_id, scope__in=scopes, state__in=DeletionRequest.OPEN
    ).exists()


def record_nothing_held(*, channel: str, callback_digest: str | None) -> DeletionRequest:
    """Somebody asks for the erasure of what we do not hold: they get a code, and the truth."""
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


def _shut_out(owner: User) -> None:
    """No session, no program and no password opens the member's door from now on."""
    keys = UserSession.objects.filter(user=owner).values_list("session_key", flat=True)
    Session.objects.filter(session_key__in=list(keys)).delete()
    Token.objects.filter(user=owner).delete()
    owner.is_active = False
    owner.set_unusable_password()
    owner.save(update_fields=["is_active", "password"])


def _tell(owner: User) -> None:
    notices.tell_member(owner, "everything_deleted")


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
    """Instagram's callback is nobody to hand a salt to, so its receipts hold no commitment."""
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
