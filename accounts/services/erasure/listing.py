"""The list of erasures: without names, and also outside the database.

A backup restored from before an erasure holds the person again, and an older list with it. So each
entry is appended to a file too, which `replay_erasures` reads; the operator keeps it apart from
the backups.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from accounts.models import DeletionRequest, ErasureEntry, LinkedAccount, User
from accounts.services.erasure import requesting
from accounts.services.erasure.words import fingerprint

FILE_NAME = "erasures.jsonl"


@dataclass(frozen=True)
class Entry:
    """One line of the file; `at` is ISO 8601."""

    kind: str
    fingerprint: str
    owner_fingerprint: str
    at: str


def file_path() -> Path:
    return Path(settings.THREADSITE_HOME) / FILE_NAME


def of_account(account: LinkedAccount) -> str:
    """The account's fingerprint: by Instagram's id, which a restored row has too."""
    if account.instagram_id:
        return fingerprint("instagram", account.instagram_id)
    return fingerprint("archive", f"{account.owner_id}:{account.username.lower()}")


def of_member(owner_id: int) -> str:
    return fingerprint("member", str(owner_id))


def note(*, kind: str, mark: str, owner_id: int, at: datetime) -> None:
    """Add one erasure to the list, inside the transaction that completes it.

    Should that fail after all, the line in the file is one too many: harmless, since it names an
    erasure that was asked for.
    """
    entry = ErasureEntry.objects.create(
        kind=kind, fingerprint=mark, owner_fingerprint=of_member(owner_id), at=at
    )
    append([_as_line(entry)], file_path())


def entries() -> Iterator[Entry]:
    """The list as the database has it."""
    for entry in ErasureEntry.objects.order_by("at").iterator():
        yield _as_line(entry)


def append(lines: Iterable[Entry], path: Path) -> int:
    """Append to a file that only its owner can read; returns how many lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("a", encoding="utf-8") as file:
        path.chmod(0o600)
        for line in lines:
            file.write(json.dumps(asdict(line)) + "\n")
            count += 1
    return count


def read(path: Path) -> list[Entry]:
    """Raises ValueError that names the line which is no entry of the list."""
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            fields = json.loads(text)
            datetime.fromisoformat(fields["at"])
            found.append(Entry(**fields))
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path}, line {number}: not an entry of the list.") from None
    return found


def replay(lines: Iterable[Entry]) -> list[DeletionRequest]:
    """Erase again whom the list names and the database holds; returns the erasures begun.

    What was linked or joined after the erasure is a new wish of the same person, and stays.
    """
    wanted: dict[tuple[str, str], datetime] = {}
    for line in lines:
        key = (line.fingerprint, line.owner_fingerprint)
        moment = datetime.fromisoformat(line.at)
        wanted[key] = max(moment, wanted.get(key, moment))
    begun = []
    for owner in User.objects.order_by("pk").iterator():
        mark = of_member(owner.pk)
        erased_at = wanted.get((mark, mark))
        if erased_at and owner.date_joined < erased_at:
            begun.append(requesting.request_full_erasure(owner=owner, channel="system"))
            continue
        for account in LinkedAccount.objects.filter(owner=owner):
            erased_at = wanted.get((of_account(account), mark))
            if erased_at and account.linked_at < erased_at:
                begun.append(requesting.request_account_erasure(account=account, channel="system"))
    return begun


def _as_line(entry: ErasureEntry) -> Entry:
    return Entry(
        kind=entry.kind,
        fingerprint=entry.fingerprint,
        owner_fingerprint=entry.owner_fingerprint,
        at=entry.at.isoformat(),
    )
