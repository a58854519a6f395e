"""Links Instagram accounts to members, and unlinks them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import clock, signals
from accounts.errors import Conflict, InvalidInput, PermissionMissing
from accounts.instagram.gateway import LongLivedToken, Profile
from accounts.models import ConsentEvent, DeletionRequest, LinkedAccount, User
from accounts.queue import enqueue
from accounts.scopes import BASIC_PERMISSION, Scope, permissions_for, usable_scopes
from accounts.selectors import account_of
from accounts.services import consent, erasure, link_resolution, revocation, tokens
from accounts.services.link_resolution import How, linked_elsewhere
from accounts.services.link_state import locked, mark_needs_reconnect, pause, resume

__all__ = [
    "Linked",
    "begin",
    "complete",
    "link_by_archive",
    "link_from_oauth",
    "linked_elsewhere",
    "mark_needs_reconnect",
    "pause",
    "permissions_asked",
    "resume",
    "sign_in",
    "unlink",
]

# Instagram's own rule for usernames: letters, digits, dots and underscores, at most 30.
USERNAME: Final = re.compile(r"[a-z0-9._]{1,30}")


@dataclass(frozen=True)
class Linked:
    """The outcome of linking. `refused`: ticked here, but not permitted at Instagram."""

    account: LinkedAccount
    how: How
    refused: frozenset[Scope]


def begin(
    *, shown: Mapping[str, str], language: str, account: LinkedAccount | None = None
) -> dict[str, Any]:
    """The ticked scopes, `{scope: hash of the text shown}`, as JSON stored during the login.

    `account`: the one to reconnect or to prove, if it is not new. Raises InvalidInput for an
    unknown scope, Conflict if a text is no longer current.
    """
    for name, text_hash in shown.items():
        consent.require_current_text(consent.scope_named(name), text_hash, language)
    return {
        "consents": dict(shown),
        "language": language,
        "account": account.pk if account else None,
        "channel": ConsentEvent.Channel.WEB.value,
    }


def permissions_asked(pending: Mapping[str, Any] | None) -> frozenset[str]:
    """The permissions to request: those of the ticked scopes, and those the link had."""
    if not pending:
        return frozenset({BASIC_PERMISSION})
    asked = permissions_for(frozenset(Scope(name) for name in pending["consents"]))
    if pending["account"]:
        account = LinkedAccount.objects.filter(pk=pending["account"]).first()
        asked |= set(account.granted_permissions) if account else set()
    return asked


@transaction.atomic
def complete(
    *,
    owner: User,
    profile: Profile,
    token: LongLivedToken,
    permissions: frozenset[str],
    pending: Mapping[str, Any] | None,
) -> Linked:
    """Link, and grant what was ticked here and permitted there, in one transaction."""
    pending = pending or {}
    expected = account_of(owner, pending["account"]) if pending.get("account") else None
    account, how = _link(owner, profile, token, permissions, expected)
    ticked = frozenset(Scope(name) for name in pending.get("consents", {}))
    granted = usable_scopes(ticked, permissions)
    for scope in sorted(granted):
        consent.grant(
            account=account,
            scope=scope,
            text_hash=pending["consents"][scope.value],
            language=pending["language"],
            channel=pending["channel"],
            actor=owner,
        )
    return Linked(account, how, ticked - granted)


@transaction.atomic
def link_from_oauth(
    *,
    owner: User,
    profile: Profile,
    token: LongLivedToken,
    permissions: frozenset[str],
) -> LinkedAccount:
    """Link, reconnect or restore without granting anything. Raises as `complete` does."""
    return _link(owner, profile, token, permissions, None)[0]


@transaction.atomic
def link_by_archive(*, owner: User, username: str) -> LinkedAccount:
    """A personal account, which Instagram's login does not admit: unproven, by archives."""
    name = username.strip().removeprefix("@").lower()
    if not USERNAME.fullmatch(name):
        raise InvalidInput(
            "invalid_username",
            _(
                "An Instagram username has 1 to 30 letters, digits, dots or underscores. "
                "Nothing was linked."
            ),
            field="username",
        )
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    if owner.linked_accounts.filter(username__iexact=name, unlinked_at__isnull=True).exists():
        raise Conflict("already_linked", _("You have linked this account already."))
    account = LinkedAccount.objects.create(
        owner=owner, kind=LinkedAccount.Kind.ARCHIVE, username=name, linked_at=clock.now()
    )
    signals.account_linked.send(LinkedAccount, account=account)
    return account


@transaction.atomic
def unlink(
    *,
    account: LinkedAccount,
    erase: Literal["now", "after_grace"],
    channel: str,
    actor: User | None = None,
) -> DeletionRequest:
    """Destroy the token, stop everything, and erase now or after the grace period.

    Raises Conflict if it is unlinked already, InvalidInput for another `erase`.
    """
    if erase not in ("now", "after_grace"):
        raise InvalidInput(
            "invalid", _("Choose to erase now or after the grace period."), field="erase"
        )
    account = locked(account.pk)
    if account.unlinked_at:
        raise Conflict("already_unlinked", _("This account is unlinked already."))
    moment = clock.now()
    keep = erase == "after_grace"
    account.unlinked_at = moment
    account.restorable_until = moment + timedelta(days=settings.UNLINK_GRACE_DAYS) if keep else None
    account.save(update_fields=["unlinked_at", "restorable_until"])
    by_instagram = channel == ConsentEvent.Channel.INSTAGRAM
    revocation.end_token(account=account, revoke_at_instagram=not by_instagram)
    language = actor.language if actor else account.owner.language
    consent.end_all(account=account, channel=channel, keep_data=keep, language=language)
    signals.account_unlinked.send(LinkedAccount, account=account, channel=channel)
    enqueue("accounts.tasks.notify_member", account.owner_id, "unlinked")
    return erasure.request_account_erasure(
        account=account, channel=channel, not_before=account.restorable_until
    )


@transaction.atomic
def sign_in(
    *,
    owner: User,
    profile: Profile,
    token: LongLivedToken,
    permissions: frozenset[str],
    signing_up: bool,
) -> LinkedAccount | None:
    """Update the link after a plain sign-in by Instagram, without the consent page.

    Signing up links (Instagram is then all we know of the member), granting nothing. Signing in
    never undoes an unlinking. It restores a broken link; a working one takes the new token only if
    that permits no less than the old one did.
    """
    if signing_up:
        return _link(owner, profile, token, permissions, None)[0]
    live = LinkedAccount.objects.filter(
        owner=owner, instagram_id=profile.user_id, unlinked_at__isnull=True
    ).first()
    if live is None:
        return None
    if live.needs_reconnect_since or set(live.granted_permissions) <= permissions:
        return _link(owner, profile, token, permissions, None)[0]
    return live


def _link(
    owner: User,
    profile: Profile,
    token: LongLivedToken,
    permissions: frozenset[str],
    expected: LinkedAccount | None,
) -> tuple[LinkedAccount, How]:
    if BASIC_PERMISSION not in permissions:
        raise PermissionMissing(
            detail=_(
                "Instagram's basic permission was not given, so the account cannot be linked. "
                "Try again and leave it ticked."
            )
        )
    try:
        with transaction.atomic():
            account, how = link_resolution.claim(owner, profile, permissions, expected)
    except IntegrityError:
        # Two members proved the same account at once: the other one was first.
        raise linked_elsewhere() from None
    tokens.store(account=account, token=token)
    signal = signals.account_reconnected if how == "reconnected" else signals.account_linked
    signal.send(LinkedAccount, account=account)
    if how in ("linked", "proven"):
        for other in link_resolution.claimants(account):
            enqueue("accounts.tasks.notify_member", other, "proven_elsewhere")
    return account, how
