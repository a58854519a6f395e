"""The consent ledger's chains: appended to under a lock, verified entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Subquery, Sum

from accounts import clock, consent_texts, crypto
from accounts.models import (
    ConsentEvent,
    ConsentHead,
    ConsentRegister,
    ConsentSubject,
    ConsentText,
    LinkedAccount,
)


@dataclass(frozen=True)
class Broken:
    """The first thing wrong with a chain. `sequence` 0: the chain as a whole."""

    chain: int | None
    subject: UUID | None
    sequence: int
    what: str

    def __str__(self) -> str:
        place = f"chain {self.chain if self.chain is not None else '?'}"
        if self.subject is not None:
            place += f", subject {self.subject}"
        if self.sequence:
            place += f", entry {self.sequence}"
        return f"{place}: {self.what}"


@dataclass(frozen=True)
class State:
    """The size of the ledger; pruned entries count, so that neither number ever decreases."""

    chains: int
    entries: int


def state() -> State:
    total = ConsentHead.objects.aggregate(chains=Count("pk"), entries=Sum("count"))
    return State(total["chains"], total["entries"] or 0)


def locked_subject(account: LinkedAccount) -> UUID:
    """The account's subject, locked until the transaction ends, which serialises its chain."""
    ConsentSubject.objects.get_or_create(account=account)
    return ConsentSubject.objects.select_for_update().get(account=account).subject


def has_subject(account: LinkedAccount) -> bool:
    """Whether anything was ever recorded for the account; the first entry creates it."""
    return ConsentSubject.objects.filter(account=account).exists()


def last_entry(subject: UUID, scope: str) -> ConsentEvent | None:
    return ConsentEvent.objects.filter(subject=subject, scope=scope).order_by("-sequence").first()


def granted_since(account: LinkedAccount, scope: str, moment: datetime) -> bool:
    """Whether the newest entry of the scope is a consent given after `moment`."""
    if not has_subject(account):
        return False
    last = last_entry(ConsentSubject.objects.get(account=account).subject, scope)
    granted = last is not None and last.action == ConsentEvent.Action.GRANTED
    return granted and last is not None and last.at > moment


def append(
    *,
    subject: UUID,
    scope: str,
    action: str,
    channel: str,
    text: ConsentText,
    keep_data: bool = False,
) -> ConsentEvent:
    """Add one entry; the caller has the subject's lock."""
    head = ConsentHead.objects.filter(subject=subject).first()
    previous = (
        ConsentEvent.objects.filter(subject=subject).order_by("-sequence").first() if head else None
    )
    moment = clock.now()
    event = ConsentEvent(
        subject=subject,
        sequence=(head.count if head else 0) + 1,
        # Within a chain times never decrease, whatever the clock does.
        at=max(moment, previous.at) if previous else moment,
        scope=scope,
        action=action,
        channel=channel,
        text_version=text.version,
        text_hash=text.hash,
        language=text.language,
        keep_data=keep_data,
        previous_mac=head.mac if head else "",
    )
    event.mac = _mac_of(event)
    event.save(force_insert=True)
    _move_head(head, event)
    return event


def prune(subject: UUID) -> int:
    """Delete a chain after its retention; its head stays and says so. Returns the entries deleted.

    Only for a running erasure: the database's triggers refuse it otherwise.
    """
    with transaction.atomic():
        head = ConsentHead.objects.select_for_update().filter(subject=subject).first()
        if head is None or head.pruned_at is not None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('threadsite.erasure', 'on', true)")
        deleted, _kinds = ConsentEvent.objects.filter(subject=subject).delete()
        head.pruned_at = clock.now()
        head.signature = _head_signature(head)
        head.save(update_fields=["pruned_at", "signature"])
        return deleted


def prune_expired(older_than: datetime, limit: int) -> int:
    """Prune chains whose member was erased and whose last entry is older; whole chains only.

    Stops after `limit` entries, or a little more. How long entries outlive the member is the
    retention rule `consent_ledger`.
    """
    mapped = ConsentSubject.objects.filter(subject=OuterRef("subject"))
    last = ConsentEvent.objects.filter(subject=OuterRef("subject")).order_by("-sequence")
    over = (
        ConsentHead.objects.filter(~Exists(mapped), pruned_at__isnull=True)
        .annotate(last=Subquery(last.values("at")[:1]))
        .filter(last__lt=older_than)
        .order_by("number")
    )
    deleted = 0
    for subject in over.values_list("subject", flat=True)[:limit]:
        deleted += prune(subject)
        if deleted >= limit:
            break
    return deleted


def verify() -> Iterator[Broken]:
    """Yield everything wrong with the ledger, chains first, in constant memory."""
    with _one_moment():
        yield from _verify_chains()
        yield from _verify_register()
        yield from _verify_subjects()
        yield from _verify_texts()


@contextmanager
def _one_moment() -> Iterator[None]:
    """Every query sees the same snapshot: an entry written between two of them is no gap."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _verify_chains() -> Iterator[Broken]:
    events = groupby(
        ConsentEvent.objects.order_by("subject", "sequence").iterator(chunk_size=2000),
        key=lambda event: event.subject,
    )
    current = next(events, None)
    for head in ConsentHead.objects.order_by("subject").iterator(chunk_size=2000):
        while current is not None and current[0] < head.subject:
            yield Broken(None, current[0], 0, "entries of a chain that has no head")
            current = next(events, None)
        if current is not None and current[0] == head.subject:
            broken = _first_broken(head, list(current[1]))
            current = next(events, None)
        else:
            broken = _first_broken(head, [])
        if broken is not None:
            yield broken
    while current is not None:
        yield Broken(None, current[0], 0, "entries of a chain that has no head")
        current = next(events, None)


def _first_broken(head: ConsentHead, events: list[ConsentEvent]) -> Broken | None:
    def broken(sequence: int, what: str) -> Broken:
        return Broken(head.number, head.subject, sequence, what)

    if not crypto.same(head.signature, _head_signature(head)):
        return broken(0, "its head was altered, or written without the key")
    if head.pruned_at is not None:
        return broken(0, "entries in a chain whose time was over") if events else None
    previous = ""
    for expected, event in enumerate(events, start=1):
        if event.sequence != expected:
            return broken(expected, "this entry is missing")
        if event.previous_mac != previous:
            return broken(expected, "does not follow the entry before it")
        if not crypto.same(event.mac, _mac_of(event)):
            return broken(expected, "was altered, or written without the key")
        previous = event.mac
    if len(events) < head.count:
        return broken(len(events) + 1, "this entry and all after it are missing")
    if len(events) > head.count or previous != head.mac:
        return broken(head.count, "the chain goes on behind its head")
    return None


def _verify_register() -> Iterator[Broken]:
    register = ConsentRegister.objects.filter(pk=1).first()
    chains = register.chains if register else 0
    if register is not None and not crypto.same(register.signature, _register_signature(chains)):
        yield Broken(
            None, None, 0, "the register of chains was altered, or written without the key"
        )
    expected = 1
    numbers = ConsentHead.objects.order_by("number").values_list("number", flat=True)
    for number in numbers.iterator(chunk_size=5000):
        if number != expected:
            yield Broken(expected, None, 0, "the whole chain is missing")
        expected = number + 1
    if expected <= chains:
        yield Broken(expected, None, 0, "the whole chain is missing")
    elif expected > chains + 1:
        yield Broken(chains + 1, None, 0, "the register does not know this chain")


def _verify_subjects() -> Iterator[Broken]:
    """A subject is created with its first entry, so one without a chain has lost it."""
    heads = ConsentHead.objects.filter(subject=OuterRef("subject"))
    lost = ConsentSubject.objects.filter(~Exists(heads)).order_by("subject")
    for subject in lost.values_list("subject", flat=True).iterator(chunk_size=2000):
        yield Broken(None, subject, 0, "the whole chain is missing")


def _verify_texts() -> Iterator[Broken]:
    """The consent is to the text, so texts are verified too: each hashes to its own name."""
    known = set()
    for text in ConsentText.objects.order_by("hash"):
        known.add(text.hash)
        if text.hash != consent_texts.text_hash(text.scope, text.version, text.language, text.text):
            yield Broken(None, None, 0, f"the text {text.hash[:12]} was altered")
    named = ConsentEvent.objects.order_by().values_list("text_hash", flat=True).distinct()
    for missing in sorted(set(named) - known):
        yield Broken(None, None, 0, f"the text {missing[:12]} is missing, which entries name")


def _move_head(head: ConsentHead | None, event: ConsentEvent) -> None:
    if head is None:
        head = ConsentHead(number=_next_chain(), subject=event.subject, count=0)
    head.count, head.mac = event.sequence, event.mac
    head.signature = _head_signature(head)
    head.save(force_insert=head._state.adding)


def _next_chain() -> int:
    """Chains are numbered without a gap, so that a dropped one leaves a gap."""
    ConsentRegister.objects.get_or_create(
        pk=1, defaults={"chains": 0, "signature": _register_signature(0)}
    )
    register = ConsentRegister.objects.select_for_update().get(pk=1)
    register.chains += 1
    register.signature = _register_signature(register.chains)
    register.save(update_fields=["chains", "signature"])
    return register.chains


def _mac_of(event: ConsentEvent) -> str:
    return crypto.ledger_mac(
        "entry",
        event.subject.hex,
        event.sequence,
        _instant(event.at),
        event.scope,
        event.action,
        event.channel,
        event.text_version,
        event.text_hash,
        event.language,
        event.keep_data,
        event.previous_mac,
    )


def _head_signature(head: ConsentHead) -> str:
    pruned = _instant(head.pruned_at) if head.pruned_at else None
    return crypto.ledger_mac("head", head.number, head.subject.hex, head.count, head.mac, pruned)


def _register_signature(chains: int) -> str:
    return crypto.ledger_mac("register", chains)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
