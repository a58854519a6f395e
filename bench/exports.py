"""Writes a population as Instagram's "Export your information" in its current JSON format."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from bench.population import Population

MEMBER = "connections/followers_and_following/followers_1.json"
ROW = (
    '  {\n    "title": "",\n    "media_list_data": [\n      \n    ],\n    "string_list_data": [\n'
    '      {\n        "href": "https://www.instagram.com/%s",\n        "value": "%s",\n'
    '        "timestamp": %d\n      }\n    ]\n  }'
)
PIECE = 10_000


def export_day(population: Population, number: int) -> date:
    """Exports are a day apart, the first a day after the newest follow."""
    return (datetime.fromtimestamp(population.seconds[0], UTC) + timedelta(days=1 + number)).date()


def file_name(owner: str, day: date) -> str:
    return f"instagram-{owner}-{day.isoformat()}-Zzt7gCja.zip"


def export(population: Population) -> bytes:
    """The deflated ZIP, as a member uploads it."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(MEMBER, "w", force_zip64=True) as file,
    ):
        for piece in _pieces(population):
            file.write(piece)
    return buffer.getvalue()


def _pieces(population: Population) -> Iterator[bytes]:
    yield b"[\n"
    for start in range(0, len(population), PIECE):
        names = population.names[start : start + PIECE]
        seconds = population.seconds[start : start + PIECE]
        rows = [ROW % (name, name, at) for name, at in zip(names, seconds, strict=True)]
        yield ((",\n" if start else "") + ",\n".join(rows)).encode()
    yield b"\n]\n"
