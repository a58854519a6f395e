"""Members' files: one row each, with its key; the encrypted bytes are at FILES_URL.

The row is written first, so whatever is stored is known, and erased with its owner. An object
without a row comes from a killed process or a rolled-back transaction: nobody can read it, and the
nightly sweep deletes it.
"""

from __future__ import annotations

import io
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet

from accounts import clock, crypto
from accounts.files.sealing import PIECE, SEALED, Damaged, Seal, new_key
from accounts.files.storage import Storage, StorageFailed, put, storage_at
from accounts.models import KeptFile

if TYPE_CHECKING:
    from accounts.files.storage import Writer
    from accounts.models import LinkedAccount, User

Area = KeptFile.Area
#: The object by which hosts see whether they share a storage.
MARK: Final = "storage-mark"
#: Longer than any write takes.
ABANDONED: Final = timedelta(hours=24)
CHUNK: Final = 500
#: Bytes that callers read at a time.
BUFFER: Final = 1 << 16


def storage() -> Storage:
    """The storage of FILES_URL; unset, the folder `files` under THREADSITE_HOME."""
    default = Path(settings.THREADSITE_HOME) / "files"
    return storage_at(settings.FILES_URL, settings.FILES_OPTIONS, default=default)


def scratch() -> Path:
    """This host's own folder for temporary copies."""
    path = Path(settings.THREADSITE_HOME) / "scratch"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


class Writing(io.RawIOBase):
    """A file being written: encrypts piece by piece. `size` counts bytes in clear."""

    def __init__(self, name: str, key: str, target: Writer) -> None:
        self.name, self.size = name, 0
        self._seal, self._target = Seal(key), target
        self._number, self._waiting = 0, bytearray()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: object, /) -> int:
        piece = bytes(cast("bytes", data))
        self._waiting += piece
        self.size += len(piece)
        while len(self._waiting) >= PIECE:
            self._send(PIECE)
        return len(piece)

    def finish(self) -> None:
        if self._waiting:
            self._send(len(self._waiting))
        self._target.close()

    def _send(self, size: int) -> None:
        self._target.write(self._seal.seal(self._number, bytes(self._waiting[:size])))
        del self._waiting[:size]
        self._number += 1


@contextmanager
def writing(
    area: Area, *, owner: User | None = None, account: LinkedAccount | None = None
) -> Iterator[Writing]:
    """Write a file of a member or an account; afterwards it is stored under `.name`.

    An exception inside leaves nothing. Raises StorageFailed.
    """
    name = f"{area.value}/{uuid.uuid4().hex}"
    row = KeptFile.objects.create(
        name=name, area=area, owner=owner, account=account, key=new_key(), stored_at=clock.now()
    )
    target: Writer | None = None
    try:
        target = storage().writer(name)
        file = Writing(name, row.key, target)
        yield file
        file.finish()
        # Not by `save`: it would recreate a row that an erasure has deleted meanwhile.
        if not KeptFile.objects.filter(pk=row.pk).update(size=file.size, complete=True):
            raise FileNotFoundError(f"{name} was erased while it was written")
    except BaseException:
        _forget_unwritten(row, target)
        raise


def _forget_unwritten(row: KeptFile, target: Writer | None) -> None:
    """Best effort: if the transaction or the storage is broken, the nightly sweep deletes it."""
    with suppress(StorageFailed, DatabaseError, transaction.TransactionManagementError):
        if target is not None:
            target.abort()
        discard(row.name)


def keep(
    area: Area,
    source: IO[bytes],
    *,
    owner: User | None = None,
    account: LinkedAccount | None = None,
    most: int | None = None,
) -> tuple[str, int]:
    """Copy a file from its beginning: (name, bytes). ValueError for more than `most` bytes."""
    source.seek(0)
    with writing(area, owner=owner, account=account) as target:
        while piece := source.read(PIECE):
            target.write(piece)
            if most is not None and target.size > most:
                raise ValueError("the file is too large")
    return target.name, target.size


class Reading(io.RawIOBase):
    """A stored file, decrypted piece by piece; seekable."""

    def __init__(self, row: KeptFile, source: Storage) -> None:
        self._row, self._source, self._seal = row, source, Seal(row.key)
        self._position, self._number, self._piece = 0, -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._row.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        if self._position >= self._row.size or not len(view):
            return 0
        number, within = divmod(self._position, PIECE)
        data = self._load(number)[within : within + len(view)]
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _load(self, number: int) -> bytes:
        if number != self._number:
            length = min(PIECE, self._row.size - number * PIECE)
            start = number * SEALED
            sealed = self._source.read(self._row.name, start, start + length + 16)
            if len(sealed) != length + 16:
                raise Damaged(f"piece {number} of a kept file is cut off")
            self._number, self._piece = number, self._seal.unseal(number, sealed)
        return self._piece


def opened(name: str) -> BinaryIO:
    """Open a file for reading. Raises FileNotFoundError, StorageFailed and Damaged.

    The first piece is read at once, so that an error comes before the response has begun.
    """
    row = KeptFile.objects.filter(name=name, complete=True).first()
    if row is None:
        raise FileNotFoundError(name)
    file = io.BufferedReader(Reading(row, storage()), BUFFER)
    file.peek(1)
    return cast("BinaryIO", file)


@contextmanager
def scratch_copy(name: str, *, beat: Callable[[], object] = lambda: None) -> Iterator[IO[bytes]]:
    """A copy in an unnamed temporary file on this host, for programs that need a real file.

    `beat` is called with each piece: it may renew a lease, or raise to stop copying.
    """
    with opened(name) as source, tempfile.TemporaryFile(dir=scratch()) as copy:
        while piece := source.read(PIECE):
            copy.write(piece)
            beat()
        copy.seek(0)
        yield copy


def discard(*given: str) -> None:
    """Delete files; "" and unknown names are ignored. Raises StorageFailed and keeps the row."""
    for name in filter(None, given):
        storage().delete(name)
        KeptFile.objects.filter(name=name).delete()


def names(area: Area, *, owner_id: int | None = None) -> list[str]:
    """The names of all files of an area, unfinished ones too."""
    rows = KeptFile.objects.filter(area=area)
    return list(
        (rows if owner_id is None else rows.filter(owner_id=owner_id))
        .order_by("pk")
        .values_list("name", flat=True)
    )


def discard_incomplete(area: Area, *, owner_id: int) -> None:
    """Delete unfinished files that killed processes of the same member left."""
    rows = KeptFile.objects.filter(area=area, owner_id=owner_id, complete=False)
    discard(*rows.values_list("name", flat=True))


def discard_unwanted(area: Area, wanted: Iterable[str], stored_before: datetime) -> int:
    """Delete files not in `wanted` and stored before `stored_before`; returns how many."""
    old = KeptFile.objects.filter(area=area, stored_at__lt=stored_before)
    unwanted = set(old.values_list("name", flat=True)) - set(wanted)
    discard(*unwanted)
    return len(unwanted)


def erase(*, account_ids: Iterable[int]) -> int:
    """Delete every file of accounts; returns how many. Raises StorageFailed."""
    found = list(_of(None, account_ids).values_list("name", flat=True))
    discard(*found)
    return len(found)


def count(*, owner_id: int | None = None, account_ids: Iterable[int] = ()) -> int:
    """How many files a member, or accounts, have."""
    return _of(owner_id, account_ids).count()


def _of(owner_id: int | None, account_ids: Iterable[int]) -> QuerySet[KeptFile]:
    return KeptFile.objects.filter(
        Q(owner_id=owner_id, owner_id__isnull=False) | Q(account_id__in=list(account_ids))
    )


def sweep() -> int:
    """Delete unfinished files of killed processes, and objects without a row."""
    before = clock.wall() - ABANDONED
    abandoned = KeptFile.objects.filter(complete=False, stored_at__lt=clock.now() - ABANDONED)
    left = list(abandoned.values_list("name", flat=True))
    discard(*left)
    source = storage()
    found = [
        each.name
        for each in source.find()
        if each.name != MARK and each.modified is not None and each.modified < before.timestamp()
    ]
    unknown = 0
    for start in range(0, len(found), CHUNK):
        chunk = found[start : start + CHUNK]
        known = set(KeptFile.objects.filter(name__in=chunk).values_list("name", flat=True))
        for name in set(chunk) - known:
            source.delete(name)
            unknown += 1
    return len(left) + unknown


def rotate() -> Iterator[bool]:
    """Re-encrypt the files' keys under the newest of TOKEN_KEYS; the files stay unchanged."""
    rows = KeptFile.objects.order_by("pk").values_list("pk", "key")
    for pk, key in rows.iterator():
        fresh = crypto.rotated(key)
        yield bool(fresh and KeptFile.objects.filter(pk=pk, key=key).update(key=fresh))


def mark() -> str:
    """A word stored in the storage itself: hosts that read another one do not share it."""
    source = storage()
    if settings.FILES_URL == "database:":
        return "database"
    with suppress(FileNotFoundError):
        return source.read(MARK).decode("ascii", "replace")[:64]
    put(source, MARK, uuid.uuid4().hex.encode())
    return source.read(MARK).decode("ascii", "replace")[:64]
