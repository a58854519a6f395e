"""File storage in PostgreSQL, for sites of several hosts without a shared folder or S3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.db.models import Max, Sum
from django.db.models.functions import Length

from accounts import clock
from accounts.files.sealing import SEALED
from accounts.files.storage import Found
from accounts.models import FilePiece

#: Bytes in one row: one encrypted piece, so that reading a piece reads one row.
ROW: Final = SEALED


class RowStorage:
    """Database errors pass through: without the database the site does nothing anyway."""

    local = False

    def writer(self, name: str) -> RowWriter:
        return RowWriter(name)

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        pieces = FilePiece.objects.filter(name=name, number__gte=start // ROW)
        if end is not None:
            pieces = pieces.filter(number__lte=max(start, end - 1) // ROW)
        found = list(pieces.order_by("number").values_list("data", flat=True))
        if not found and not FilePiece.objects.filter(name=name).exists():
            raise FileNotFoundError(name)
        data = b"".join(map(bytes, found))
        skipped = start % ROW
        return data[skipped : None if end is None else skipped + end - start]

    def delete(self, name: str) -> None:
        FilePiece.objects.filter(name=name).delete()

    def find(self, prefix: str = "") -> Iterator[Found]:
        pieces = FilePiece.objects.filter(
            name__startswith=f"{prefix.rstrip('/')}/" if prefix else ""
        )
        rows = (
            pieces.order_by("name")
            .values("name")
            .annotate(size=Sum(Length("data")), written=Max("at"))
        )
        for row in rows.iterator():
            yield Found(row["name"], row["size"], row["written"].timestamp())


class RowWriter:
    """Writes one row after another. The file's KeptFile says when it is complete."""

    def __init__(self, name: str) -> None:
        FilePiece.objects.filter(name=name).delete()
        self._name, self._number, self._waiting = name, 0, bytearray()

    def write(self, data: bytes, /) -> None:
        self._waiting += data
        while len(self._waiting) >= ROW:
            self._put(bytes(self._waiting[:ROW]))
            del self._waiting[:ROW]

    def close(self) -> None:
        if self._waiting or not self._number:
            self._put(bytes(self._waiting))
            self._waiting.clear()

    def abort(self) -> None:
        FilePiece.objects.filter(name=self._name).delete()

    def _put(self, data: bytes) -> None:
        FilePiece.objects.create(name=self._name, number=self._number, data=data, at=clock.now())
        self._number += 1
