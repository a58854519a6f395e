"""The list of erasures: without names, also stored outside the database (ERASURES_URL).

A backup restored from before an erasure contains the person again, and an older list with it. So
each entry is an object of its own at an address apart from the backups; several hosts write there
without overwriting each other's. An entry is first a committed row, then an object, and only then
is the erasure completed: the database knows everything in the list, unless it is older than the
list.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts import clock
from accounts.files.storage import DATABASE, Storage, StorageFailed, put, storage_at
from accounts.models import DeletionRequest, ErasureEntry, ErasureList, LinkedAccount
from accounts.services.erasure.identifiers import fingerprint
from accounts.services.erasure.scrub import Target

FOLDER: Final = "entries"
#: The object with the list's mark, which the database stores too.
MARK: Final = "list.json"
CHUNK: Final = 1_000
_NUMBER: Final = re.compile(r"[0-9a-f]{32}")
Kind = ErasureEntry.Kind


@dataclass(frozen=True)
class Entry:
    """One entry as stored in the list; `at` is ISO 8601, `number` names the object."""

    number: str
    kind: str
    fingerprint: str
    owner_fingerprint: str
    scope: str
    at: str


def storage() -> Storage:
    """The storage of the list; unset, the folder `erasures` under THREADSITE_HOME.

    Raises ImproperlyConfigured for the database, which a backup restores together with it.
    """
    if settings.ERASURES_URL == DATABASE:
        raise ImproperlyConfigured(
            "ERASURES_URL cannot be the database: a backup would set the list back with it."
        )
    default = Path(settings.THREADSITE_HOME) / "erasures"
    return storage_at(settings.ERASURES_URL, settings.ERASURES_OPTIONS, default=default)


def of_account(account: LinkedAccount) -> str:
    """The account's fingerprint: by Instagram's id, which a restored row has too."""
    if account.instagram_id:
        return fingerprint("instagram", account.instagram_id)
    return fingerprint("archive", f"{account.owner_id}:{account.username.lower()}")


def of_member(owner_id: int) -> str:
    return fingerprint("member", str(owner_id))


def prepare(deletion: DeletionRequest, target: Target) -> None:
    """Create the erasure's entries while the rows they are computed from exist."""
    known = set(deletion.entries.values_list("kind", "fingerprint"))
    now, owner = clock.now(), of_member(target.owner_id)
    kind = Kind.SCOPE if deletion.scope else Kind.ACCOUNT
    accounts = LinkedAccount.objects.filter(pk__in=target.account_ids)
    wanted = [(kind, of_account(account)) for account in accounts]
    if target.everything:
        wanted.append((Kind.MEMBER, owner))
    ErasureEntry.objects.bulk_create(
        ErasureEntry(
            kind=kind, fingerprint=mark, owner_fingerprint=owner, scope=deletion.scope, at=now,
            deletion=deletion,
        )
        for kind, mark in wanted
        if (kind, mark) not in known
    )  # fmt: skip


def ship() -> int:
    """Write every entry that is not yet in the list; returns how many.

    Raises StorageFailed, also if the list at the address belongs to another database.
    """
    waiting = ErasureEntry.objects.filter(listed_at=None).order_by("pk")
    if not waiting.exists():
        return 0
    target = storage()
    begin(target)
    written = 0
    for entry in waiting.iterator():
        write(target, as_entry(entry))
        written += ErasureEntry.objects.filter(pk=entry.pk).update(listed_at=clock.now())
    return written


def ship_all() -> int:
    """Write every entry of the database that the list lacks, whether marked as listed or not."""
    target = storage()
    begin(target)
    return _write_all(target, numbers(target))


def begin_anew(target: Storage) -> int:
    """Begin this database's list at an address that has none, with all known entries."""
    own, _made = ErasureList.objects.get_or_create(
        pk=1, defaults={"mark": uuid.uuid4().hex, "made_at": clock.now()}
    )
    write_mark(target, own.mark)
    return _write_all(target, numbers(target))


def copy(source: Storage, target: Storage) -> int:
    """Copy missing entries of a list; returns how many. ValueError: an entry is damaged."""
    mark = mark_of(source)
    if mark is None:
        raise ValueError("There is no list of erasures at this address.")
    if mark_of(target) not in (None, mark):
        raise ValueError("There is a list of another database at the address to copy to.")
    write_mark(target, mark)
    every = sorted(numbers(source) - numbers(target))
    for number in every:
        write(target, read(source, number))
    return len(every)


def _write_all(target: Storage, listed: set[str]) -> int:
    written = 0
    for entry in not_listed(listed):
        write(target, as_entry(entry))
        written += ErasureEntry.objects.filter(pk=entry.pk).update(listed_at=clock.now())
    return written


def begin(target: Storage) -> str:
    """The mark of the list at the address; a list is created if there never was one.

    Raises StorageFailed if this database's list is elsewhere.
    """
    theirs = mark_of(target)
    own = ErasureList.objects.filter(pk=1).first()
    if own is None:
        own, _made = ErasureList.objects.get_or_create(
            pk=1, defaults={"mark": theirs or uuid.uuid4().hex, "made_at": clock.now()}
        )
        if theirs is None:
            write_mark(target, own.mark)
            theirs = own.mark
    if theirs != own.mark:
        raise StorageFailed("the list of erasures at ERASURES_URL is not this database's")
    return own.mark


def mark_of(source: Storage) -> str | None:
    """The mark of the list; None if there is none."""
    try:
        return str(json.loads(source.read(MARK))["mark"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise StorageFailed(f"{MARK} in the list of erasures is damaged") from None


def write_mark(target: Storage, mark: str) -> None:
    put(target, MARK, json.dumps({"mark": mark}).encode())


def numbers(source: Storage) -> set[str]:
    """The numbers of all entries in the list, from their names."""
    names = (each.name for each in source.find(FOLDER))
    stems = (Path(name).stem for name in names if name.endswith(".json"))
    return {stem for stem in stems if _NUMBER.fullmatch(stem)}


def not_known(listed: Iterable[str]) -> set[str]:
    """The numbers that the database does not know."""
    unknown: set[str] = set()
    every = sorted(listed)
    for chunk in (every[start : start + CHUNK] for start in range(0, len(every), CHUNK)):
        known = ErasureEntry.objects.filter(number__in=chunk).values_list("number", flat=True)
        unknown |= set(chunk) - {known_one.hex for known_one in known}
    return unknown


def not_listed(listed: set[str]) -> Iterator[ErasureEntry]:
    """Entries of the database that the list lacks."""
    for entry in ErasureEntry.objects.order_by("pk").iterator():
        if entry.number.hex not in listed:
            yield entry


def read(source: Storage, number: str) -> Entry:
    """Raises ValueError for an invalid entry, or one not signed with our key."""
    name = _name(number)
    try:
        fields = json.loads(source.read(name))
        signature = fields.pop("signature")
        entry = Entry(**fields)
        datetime.fromisoformat(entry.at)
        genuine = hmac.compare_digest(signature, _signature(entry)) and entry.number == number
    except FileNotFoundError:
        raise ValueError(f"{name}: gone.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{name}: not an entry of the list.") from None
    if not genuine:
        raise ValueError(f"{name}: not signed with this site's SUPPRESSION_KEY.")
    return entry


def write(target: Storage, entry: Entry) -> None:
    """Idempotent: the same entry has the same name and content."""
    fields = {**asdict(entry), "signature": _signature(entry)}
    put(target, _name(entry.number), json.dumps(fields, sort_keys=True).encode())


def learn(entries: Iterable[Entry]) -> int:
    """Store entries of the list in the database; returns how many."""
    rows = [
        ErasureEntry(
            number=uuid.UUID(hex=entry.number),
            kind=entry.kind,
            fingerprint=entry.fingerprint,
            owner_fingerprint=entry.owner_fingerprint,
            scope=entry.scope,
            at=datetime.fromisoformat(entry.at),
            listed_at=clock.now(),
        )
        for entry in entries
    ]
    ErasureEntry.objects.bulk_create(rows, ignore_conflicts=True, batch_size=CHUNK)
    return len(rows)


def forget(older_than: datetime, limit: int) -> int:
    """Retention: delete entries older than any backup, from the list first."""
    old = list(ErasureEntry.objects.filter(at__lt=older_than).order_by("pk")[:limit])
    source = storage()
    for entry in old:
        source.delete(_name(entry.number.hex))
    return ErasureEntry.objects.filter(pk__in=[entry.pk for entry in old]).delete()[0]


def as_entry(row: ErasureEntry) -> Entry:
    return Entry(
        number=row.number.hex,
        kind=row.kind,
        fingerprint=row.fingerprint,
        owner_fingerprint=row.owner_fingerprint,
        scope=row.scope,
        at=row.at.isoformat(),
    )


def _name(number: str) -> str:
    return f"{FOLDER}/{number}.json"


def _signature(entry: Entry) -> str:
    """Prevents anybody who can write at the address from having a member erased."""
    key = hashlib.sha256(b"threadsite:erasure-list:" + settings.SUPPRESSION_KEY.encode()).digest()
    text = json.dumps(asdict(entry), sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
