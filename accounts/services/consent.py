"""Granting and withdrawing consent: the only writers of the consent ledger."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import consent_texts, crypto, signals
from accounts.errors import Conflict, InvalidInput, NotAllowed, PermissionMissing
from accounts.models import (
    ConsentEvent,
    ConsentText,
    DeletionRequest,
    LinkedAccount,
    User,
)
from accounts.scopes import GRACE, Scope, permissions_needed
from accounts.services import ledger

GRANTING_CHANNELS = frozenset({ConsentEvent.Channel.WEB, ConsentEvent.Channel.DEMO})
OWN_CHANNELS = GRANTING_CHANNELS | {ConsentEvent.Channel.API}


def current_text(scope: Scope | str, language: str) -> ConsentText:
    """The current text, stored exactly as it is shown."""
    language = consent_texts.language_of(language)
    version = consent_texts.current_version(scope)
    text = consent_texts.TEXTS[scope][version - 1].text(language)
    digest = consent_texts.text_hash(scope, version, language, text)
    kept, _created = ConsentText.objects.get_or_create(
        hash=digest,
        defaults={"scope": scope, "version": version, "language": language, "text": text},
    )
    return kept


def current_texts(language: str) -> dict[Scope, ConsentText]:
    return {scope: current_text(scope, language) for scope in Scope}


def require_current_text(scope: Scope | str, text_hash: str, language: str) -> ConsentText:
    """Raises Conflict unless `text_hash` names the current text."""
    text = current_text(scope, language)
    if not crypto.same(text.hash, text_hash):
        raise Conflict(
            "consent_text_outdated",
            _(
                "The text has changed since it was shown to you, so nothing was recorded. "
                "Please read it again and decide again."
            ),
        )
    return text


@transaction.atomic
def grant(
    *,
    account: LinkedAccount,
    scope: Scope,
    text_hash: str,
    language: str,
    channel: str,
    actor: User | None,
) -> ConsentEvent:
    """Record the member's own consent to the very text they saw.

    Raises NotAllowed for anybody but the member in their own session, Conflict if the text is no
    longer the one in force or the account is unlinked, PermissionMissing if Instagram has not
    been permitted what the scope needs. Granting again what is in force changes nothing.
    """
    _require_member(account, channel, actor)
    text = require_current_text(scope, text_hash, language)
    account = LinkedAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    if account.unlinked_at:
        raise Conflict("unlinked", _("This account is unlinked. Link it again to allow this."))
    if account.is_proven and not permissions_needed(scope) <= set(account.granted_permissions):
        raise PermissionMissing
    _refuse_while_erasing(account, scope)
    subject = ledger.locked_subject(account)
    last = ledger.last_entry(subject, scope)
    if last is not None and _covers(last, text):
        return last
    event = ledger.append(
        subject=subject,
        scope=scope,
        action=ConsentEvent.Action.GRANTED,
        channel=channel,
        text=text,
    )
    signals.consent_granted.send(LinkedAccount, account=account, scope=scope)
    return event


@transaction.atomic
def withdraw(
    *,
    account: LinkedAccount,
    scope: Scope,
    channel: str,
    actor: User | None,
    keep_data: bool = False,
) -> ConsentEvent:
    """Record a withdrawal: from the next request on, the scope is not used.

    `keep_data`: the member grants that the scope's data is kept; otherwise it is erased. Raises
    Conflict if the scope is not granted, NotAllowed for another user.
    """
    if channel in OWN_CHANNELS and (actor is None or actor.pk != account.owner_id):
        raise NotAllowed
    account = LinkedAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    subject = ledger.locked_subject(account)
    last = ledger.last_entry(subject, scope)
    if last is None or last.action != ConsentEvent.Action.GRANTED:
        raise Conflict(
            "consent_not_in_force", _("You have not allowed this use, or have withdrawn it before.")
        )
    event = ledger.append(
        subject=subject,
        scope=scope,
        action=ConsentEvent.Action.WITHDRAWN,
        channel=channel,
        text=_text_of(last),
        keep_data=keep_data,
    )
    signals.consent_withdrawn.send(
        LinkedAccount, account=account, scope=scope, keep_data=keep_data, channel=channel
    )
    return event


@transaction.atomic
def end_all(*, account: LinkedAccount, channel: str, keep_data: bool, language: str) -> None:
    """Unlinking ends every consent. Keeping data is itself a grant, if the member gives it.

    No signal is sent for single scopes: unlinking has its own, and erases everything.
    """
    grants_grace = keep_data and channel in GRANTING_CHANNELS
    if not grants_grace and not ledger.has_subject(account):
        return
    subject = ledger.locked_subject(account)
    for scope in Scope:
        last = ledger.last_entry(subject, scope)
        if last is not None and last.action == ConsentEvent.Action.GRANTED:
            ledger.append(
                subject=subject,
                scope=scope,
                action=ConsentEvent.Action.WITHDRAWN,
                channel=channel,
                text=_text_of(last),
                keep_data=keep_data,
            )
    if grants_grace:
        ledger.append(
            subject=subject,
            scope=GRACE,
            action=ConsentEvent.Action.GRANTED,
            channel=channel,
            text=current_text(GRACE, language),
        )


def scope_named(name: str) -> Scope:
    """Raises InvalidInput for a name that is no scope."""
    try:
        return Scope(name)
    except ValueError:
        raise InvalidInput("unknown_scope", _("There is no such purpose."), field="scope") from None


def _require_member(account: LinkedAccount, channel: str, actor: User | None) -> None:
    if channel not in GRANTING_CHANNELS or actor is None or actor.pk != account.owner_id:
        raise NotAllowed(
            "consent_only_by_member",
            _("Consent is given by the member alone, signed in on this site, to the text shown."),
        )


def _refuse_while_erasing(account: LinkedAccount, scope: Scope | str) -> None:
    """New data would be partly erased with the old, and reported as changes."""
    erasing = DeletionRequest.objects.filter(
        account_id=account.pk, scope=scope, state__in=DeletionRequest.OPEN
    )
    if erasing.exists():
        raise Conflict(
            "erasure_running",
            _(
                "What you withdrew is still being erased, so this cannot be allowed again yet. "
                "Please try again in a minute."
            ),
        )


def _covers(last: ConsentEvent, text: ConsentText) -> bool:
    return last.action == ConsentEvent.Action.GRANTED and last.text_version >= text.version


def _text_of(event: ConsentEvent) -> ConsentText:
    """The text to which the withdrawn consent was given."""
    return ConsentText.objects.get(hash=event.text_hash)
