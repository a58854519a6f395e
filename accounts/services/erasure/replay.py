"""Replay: repeats the erasures of the list that a restored backup has undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from django.db import transaction

from accounts.errors import Conflict
from accounts.files.storage import Storage
from accounts.models import DeletionRequest, ErasureEntry, LinkedAccount, PrivacyRequest, User
from accounts.scopes import Scope
from accounts.selectors import consent_in_force
from accounts.services import consent, suppression
from accounts.services.erasure import erasure_list, requests, runner
from accounts.services.erasure.erasure_list import Entry
from accounts.services.ledger import granted_since

Kind = ErasureEntry.Kind
CHANNEL = DeletionRequest.Channel.SYSTEM


def unknown_entries(source: Storage) -> list[Entry]:
    """Entries of a list that the database does not know, oldest first. Raises ValueError."""
    found = [
        erasure_list.read(source, number)
        for number in erasure_list.not_known(erasure_list.numbers(source))
    ]
    return sorted(found, key=lambda entry: entry.at)


def replay(entries: Iterable[Entry]) -> Iterator[DeletionRequest | PrivacyRequest]:
    """Request again what the entries name and the database contains; yields the requests.

    What was linked, joined or consented to after the erasure stays.
    """
    listed = list(entries)
    wanted = _newest(listed)
    for owner in User.objects.order_by("pk").iterator():
        yield from _replay_member(owner, wanted)
    persons = [entry for entry in listed if entry.kind == Kind.PERSON]
    yield from suppression.replay([(entry.scope, entry.fingerprint) for entry in persons])


def carry_out(begun: DeletionRequest | PrivacyRequest) -> bool:
    """Carry it out at once; whether it is completed."""
    advance = runner.advance if isinstance(begun, DeletionRequest) else suppression.advance
    while advance(begun.pk):
        pass
    begun.refresh_from_db()
    return begun.state == type(begun).State.COMPLETED


def _newest(entries: Iterable[Entry]) -> dict[tuple[str, str, str], datetime]:
    """(fingerprint, member's fingerprint, scope) -> its last erasure."""
    found: dict[tuple[str, str, str], datetime] = {}
    for entry in entries:
        key = (entry.fingerprint, entry.owner_fingerprint, entry.scope)
        moment = datetime.fromisoformat(entry.at)
        found[key] = max(moment, found.get(key, moment))
    return found


def _replay_member(
    owner: User, wanted: dict[tuple[str, str, str], datetime]
) -> Iterator[DeletionRequest]:
    mark = erasure_list.of_member(owner.pk)
    erased_at = wanted.get((mark, mark, ""))
    if erased_at and owner.date_joined < erased_at:
        yield requests.request_full_erasure(owner=owner, channel=CHANNEL)
        return
    for account in LinkedAccount.objects.filter(owner=owner):
        of_account = erasure_list.of_account(account)
        erased_at = wanted.get((of_account, mark, ""))
        if erased_at and account.linked_at < erased_at:
            yield requests.request_account_erasure(account=account, channel=CHANNEL)
            continue
        for scope in Scope:
            erased_at = wanted.get((of_account, mark, scope.value))
            if erased_at and not granted_since(account, scope, erased_at):
                yield _withdraw(account, scope)


@transaction.atomic
def _withdraw(account: LinkedAccount, scope: Scope) -> DeletionRequest:
    """The backup restored the consent too: withdraw it, and erase the scope's data."""
    if consent_in_force(account.pk, scope):
        with suppress(Conflict):  # withdrawn meanwhile; its data is erased anyway
            consent.withdraw(account=account, scope=scope, channel=CHANNEL, actor=None)
    return requests.request_scope_erasure(account=account, scope=scope, channel=CHANNEL)
