"""Suppression list and privacy requests of non-members.

The list holds keyed hashes with a key of its own. It is checked before a new or renamed person is
written. Suppressed people still count in totals and as neighbours in scans, unnamed.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import clock, queue, registry
from accounts.errors import Conflict, InvalidInput
from accounts.models import ErasureEntry, LinkedAccount, PrivacyRequest, SuppressedPerson, User
from accounts.registry import Person
from accounts.services.erasure import erasure_list

RUN = "accounts.tasks.run_person_request"
#: GDPR article 12 (3): one month; the shortest one, so that no calendar makes us late.
ANSWER_DAYS: Final = 28
BATCH_ROWS: Final = 5_000
SLICE_SECONDS: Final = 20.0
#: Hashes checked in one statement.
CHUNK: Final = 5_000
LONGEST_NAME: Final = 64
LONGEST_ID: Final = 19

Kind = PrivacyRequest.Kind
State = PrivacyRequest.State
Proof = PrivacyRequest.Proof


def suppressed(keys: Iterable[int], usernames: Iterable[str]) -> set[int | str]:
    """The Instagram ids (ints) and names (lower case) that must not be written.

    One small query while the list is empty. Call it before writing, for new and renamed people
    only.
    """
    if not SuppressedPerson.objects.exists():
        return set()
    asked: dict[bytes, int | str] = {_digest(SuppressedPerson.Kind.ID, str(k)): k for k in keys}
    asked |= {_digest(SuppressedPerson.Kind.NAME, n): n for n in map(str.lower, usernames)}
    digests = list(asked)
    found: set[int | str] = set()
    for start in range(0, len(digests), CHUNK):
        listed = SuppressedPerson.objects.filter(digest__in=digests[start : start + CHUNK])
        found |= {asked[bytes(digest)] for digest in listed.values_list("digest", flat=True)}
    return found


@transaction.atomic
def request_privacy(
    *, kind: str, username: str, contact: str, message: str = "", language: str = "en"
) -> PrivacyRequest:
    """A request from /privacy/, for staff to review. Raises InvalidInput for a bad name or kind."""
    if kind not in Kind.values:
        raise InvalidInput("unknown_kind", _("Choose what you ask for."), field="kind")
    name = clean_name(username)
    if not contact.strip():
        raise InvalidInput(
            "contact_missing", _("Give an e-mail address that we can answer to."), field="contact"
        )
    now = clock.now()
    return PrivacyRequest.objects.create(
        kind=kind,
        username=name,
        contact=contact.strip(),
        message=message.strip()[:4000],
        language=language,
        received_at=now,
        due_at=now + timedelta(days=ANSWER_DAYS),
    )


@transaction.atomic
def suppress_proven(*, instagram_id: str, username: str, language: str) -> PrivacyRequest:
    """A person proven by Instagram's sign-in objects: removed and suppressed at once."""
    now = clock.now()
    request = PrivacyRequest.objects.create(
        kind=Kind.ERASURE,
        username=clean_name(username),
        instagram_id=_clean_id(instagram_id),
        language=language,
        proof=Proof.INSTAGRAM,
        state=State.GRANTED,
        received_at=now,
        due_at=now + timedelta(days=ANSWER_DAYS),
        decided_at=now,
    )
    _suppress(request)
    queue.enqueue(RUN, request.pk)
    return request


def keep_out(*, account: LinkedAccount, language: str) -> PrivacyRequest:
    """As `suppress_proven`, by a link. Raises Conflict for an unproven link."""
    return suppress_proven(
        instagram_id=_proven_id(account), username=account.username, language=language
    )


def _proven_id(account: LinkedAccount) -> str:
    if not account.is_proven or account.instagram_id is None:
        raise Conflict(
            "not_proven", _("Connect this account by Instagram first, to show that it is yours.")
        )
    return account.instagram_id


@transaction.atomic
def decide(*, request: PrivacyRequest, staff: User, grant: bool, reason: str) -> PrivacyRequest:
    """Staff grant or refuse; a refusal gives its reason (article 12 (4)).

    Granting an objection or an erasure suppresses the person at once and deletes their rows in the
    queue. Raises Conflict if it is decided already, InvalidInput without a reason.
    """
    if not grant and not reason.strip():
        raise InvalidInput(
            "reason_missing", _("A refusal must say why, so that it can be contested."), "reason"
        )
    request = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
    if request.state != State.OPEN:
        raise Conflict("already_decided", _("This request has been decided already."))
    request.decided_at, request.decided_by, request.reason = clock.now(), staff, reason.strip()
    request.proof = Proof.STAFF if request.proof == Proof.NONE else request.proof
    request.state = State.GRANTED if grant else State.REFUSED
    request.save()
    if grant and request.kind != Kind.ACCESS:
        _suppress(request)
        queue.enqueue(RUN, request.pk)
    return request


def stored_about(request: PrivacyRequest) -> Iterator[dict[str, Any]]:
    """What is stored about the person: for the answer to a granted request for access.

    Each row says in which kind of list the name is and since when, never in whose.
    """
    yield from _stored_rows(_person(request))


def stored_about_proven(*, account: LinkedAccount) -> list[dict[str, Any]]:
    """The same for a person proven by Instagram: at once, without review.

    Raises Conflict for an unproven link.
    """
    number = _proven_id(account)
    return list(_stored_rows(Person(instagram_id=int(number), username=account.username.lower())))


def _stored_rows(person: Person) -> Iterator[dict[str, Any]]:
    for kind, find in registry.person_finders().items():
        for row in find(person):
            yield {"kind": kind, **row}


@transaction.atomic
def close(*, request: PrivacyRequest) -> PrivacyRequest:
    """Close an answered request: delete name and address; the list keeps its hashes."""
    request = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
    if request.state == State.OPEN:
        raise Conflict("not_decided", _("Decide the request before you close it."))
    if request.state == State.GRANTED and request.kind != Kind.ACCESS:
        raise Conflict("still_dropping", _("The name is still being dropped. Close it afterwards."))
    _wipe(request)
    return request


def due() -> list[int]:
    """Granted requests whose rows may still exist."""
    return list(_granted().values_list("pk", flat=True))


def advance(request_id: int, *, max_seconds: float = SLICE_SECONDS) -> bool:
    """Delete the person's rows; True if there is more. Can be restarted at any time."""
    until = time.monotonic() + max_seconds
    request = _granted().filter(pk=request_id).first()
    if request is None:
        return False
    for kind, erase in registry.person_erasers().items():
        while _erase_person(request_id, kind, erase):
            if time.monotonic() >= until:
                return True
    # Completed only once it is in the list that a restored backup is compared with.
    erasure_list.ship()
    with transaction.atomic():
        request = PrivacyRequest.objects.select_for_update().get(pk=request_id)
        request.state, request.completed_at = State.COMPLETED, clock.now()
        request.save(update_fields=["state", "completed_at"])
        if not request.contact:
            _wipe(request)
    return False


def replay(listed: Iterable[tuple[str, str]]) -> Iterator[PrivacyRequest]:
    """Suppress people again whom a restored backup has lost; yields the requests.

    `listed`: (kind, digest in hex) as in the list of erasures. The people are found by hashing
    every name and id in the database, since the list names nobody.
    """
    wanted = {(kind, bytes.fromhex(digest)) for kind, digest in listed}
    known = {bytes(digest) for digest in SuppressedPerson.objects.values_list("digest", flat=True)}
    forgotten = {(kind, digest) for kind, digest in wanted if digest not in known}
    if not forgotten:
        return
    now = clock.now()
    SuppressedPerson.objects.bulk_create(
        (SuppressedPerson(kind=kind, digest=digest, at=now) for kind, digest in forgotten),
        ignore_conflicts=True,
    )
    for person in sorted(_matching({digest for _kind, digest in forgotten})):
        yield PrivacyRequest.objects.create(
            kind=Kind.ERASURE,
            username=person[1][:LONGEST_NAME],
            instagram_id=person[0],
            proof=Proof.STAFF,
            state=State.GRANTED,
            received_at=now,
            due_at=now + timedelta(days=ANSWER_DAYS),
            decided_at=now,
        )


def _matching(digests: set[bytes]) -> set[tuple[str, str]]:
    """(id or "", name or "") of everybody in lists whose id or name has one of the hashes."""
    found: set[tuple[str, str]] = set()
    for people in registry.people().values():
        for key, name in people():
            by_id = _digest(SuppressedPerson.Kind.ID, str(key)) in digests
            by_name = _digest(SuppressedPerson.Kind.NAME, name.lower()) in digests
            if by_id or by_name:
                found.add((str(key) if by_id else "", name.lower() if by_name else ""))
    return found


def wipe_closed(older_than: datetime, limit: int) -> int:
    """Retention: delete names of requests that ended before `older_than`.

    The answer to a granted access happens outside the site: its time counts from the decision.
    """
    over = Q(state__in=[State.COMPLETED, State.REFUSED]) | Q(state=State.GRANTED, kind=Kind.ACCESS)
    ended = PrivacyRequest.objects.filter(over, decided_at__lt=older_than, wiped_at=None)[:limit]
    for request in ended:
        _wipe(request)
    return len(ended)


def clean_name(username: str) -> str:
    """The name as Instagram spells it; accepts @ and a profile URL."""
    name = username.strip().rstrip("/").rsplit("/", 1)[-1].lstrip("@").lower()
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789._")
    if not name or len(name) > LONGEST_NAME or not set(name) <= allowed:
        raise InvalidInput(
            "bad_username",
            _("An Instagram name consists of letters, digits, dots and underscores."),
            field="username",
        )
    return name


def _clean_id(instagram_id: str) -> str:
    if not instagram_id.isascii() or not instagram_id.isdigit() or len(instagram_id) > LONGEST_ID:
        raise InvalidInput(
            "bad_instagram_id", _("An Instagram id consists of digits."), field="instagram_id"
        )
    return instagram_id


@transaction.atomic
def _erase_person(request_id: int, kind: str, erase: registry.PersonEraser) -> int:
    request = PrivacyRequest.objects.select_for_update().get(pk=request_id)
    dropped = erase(_person(request), BATCH_ROWS)
    if dropped:
        request.removed = {**request.removed, kind: request.removed.get(kind, 0) + dropped}
        request.save(update_fields=["removed"])
    return dropped


def _granted() -> QuerySet[PrivacyRequest]:
    return PrivacyRequest.objects.filter(
        state=State.GRANTED, kind__in=[Kind.OBJECTION, Kind.ERASURE]
    ).order_by("pk")


def _person(request: PrivacyRequest) -> Person:
    return Person(
        instagram_id=int(request.instagram_id) if request.instagram_id else None,
        username=request.username or None,
    )


def _suppress(request: PrivacyRequest) -> None:
    marks = {
        SuppressedPerson.Kind.NAME: request.username,
        SuppressedPerson.Kind.ID: request.instagram_id,
    }
    now = clock.now()
    digests = {kind: _digest(kind, mark) for kind, mark in marks.items() if mark}
    SuppressedPerson.objects.bulk_create(
        (
            SuppressedPerson(kind=kind, digest=digest, at=now, request=request)
            for kind, digest in digests.items()
        ),
        ignore_conflicts=True,
    )
    ErasureEntry.objects.bulk_create(
        ErasureEntry(
            kind=ErasureEntry.Kind.PERSON, fingerprint=digest.hex(), scope=kind.value, at=now
        )
        for kind, digest in digests.items()
    )


def _wipe(request: PrivacyRequest) -> None:
    request.username = request.instagram_id = request.contact = request.message = ""
    request.wiped_at = clock.now()
    request.save()


def _digest(kind: str, mark: str) -> bytes:
    return hmac.digest(settings.SUPPRESSION_KEY.encode(), f"{kind}:{mark}".encode(), hashlib.sha256)
