"""Writes a ZIP of datasets, each as JSON and as CSV, in constant memory."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any, Self, cast

from django.core.serializers.json import DjangoJSONEncoder

from accounts import files

#: Characters at the start of a cell that make a spreadsheet treat it as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Archive:
    """A ZIP being written to `target`, which need not be seekable; a context manager."""

    def __init__(self, target: IO[bytes] | io.RawIOBase) -> None:
        self._zip = zipfile.ZipFile(
            cast("IO[bytes]", target), "w", zipfile.ZIP_DEFLATED, compresslevel=6
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, rows: Iterator[dict[str, Any]]) -> int:
        """Write `<name>.json` and `<name>.csv`; returns the number of rows.

        A ZIP takes one member at a time, so the CSV is written to a temporary file first.
        """
        with tempfile.TemporaryFile(
            "w+", encoding="utf-8", newline="", dir=files.scratch()
        ) as table:
            count = self._add_json(f"{name}.json", rows, table)
            table.seek(0)
            with self._zip.open(f"{name}.csv", "w", force_zip64=True) as member:
                while chunk := table.read(1 << 16):
                    member.write(chunk.encode())
        return count

    def add_text(self, name: str, text: str) -> None:
        self._zip.writestr(name, text)

    def _add_json(self, name: str, rows: Iterator[dict[str, Any]], table: Any) -> int:
        encoder = DjangoJSONEncoder(ensure_ascii=False)
        count = 0
        with (
            self._zip.open(name, "w", force_zip64=True) as member,
            io.TextIOWrapper(member, encoding="utf-8", write_through=False) as out,
        ):
            writer: csv.DictWriter[str] | None = None
            out.write("[")
            for row in rows:
                if writer is None:
                    writer = csv.DictWriter(table, list(row), extrasaction="ignore")
                    writer.writeheader()
                writer.writerow({key: _cell(value) for key, value in row.items()})
                out.write(",\n" if count else "\n")
                out.write(encoder.encode(row))
                count += 1
            out.write("\n]\n")
        return count


def _cell(value: object) -> str:
    """One CSV cell. A username cannot begin with a formula's sign, but free text could."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    if text.startswith(FORMULA) and not isinstance(value, (int, float)):
        return f"'{text}"
    return text
