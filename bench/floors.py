"""Baselines: the least work that any implementation must do."""

from __future__ import annotations

import io
import zipfile

import msgspec

from bench.exports import MEMBER
from bench.ground import sql, timed
from bench.population import Population

PIECE = 1 << 18


class _Link(msgspec.Struct):
    href: str
    value: str
    timestamp: int


class _Entry(msgspec.Struct):
    string_list_data: list[_Link]


_decode = msgspec.json.Decoder(list[_Entry]).decode


def parse(archive: bytes) -> float:
    """Seconds to unpack an export into columns of names and times in memory."""
    return timed(lambda: _columns(archive))


def _columns(archive: bytes) -> tuple[list[str], list[int]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        entries = _decode(opened.read(MEMBER))
    names = [entry.string_list_data[0].value for entry in entries]
    return names, [entry.string_list_data[0].timestamp for entry in entries]


def copy(population: Population) -> float:
    """Seconds to COPY the rows of a first load into a table without an index."""
    text = io.BytesIO()
    for key, name, at in zip(population.ids, population.names, population.seconds, strict=True):
        text.write(b"1\t%d\t%d\t\\N\t%d\t2\tf\t%s\n" % (key, at << 12, at, name.encode()))
    sql("DROP TABLE IF EXISTS bench_floor")
    sql(
        "CREATE TABLE bench_floor (account_id bigint, key bigint, place bigint,"
        " first_seen_at timestamptz, since bigint, source smallint, sure boolean,"
        ' username varchar(120) COLLATE "C")'
    )
    sql("CHECKPOINT")
    text.seek(0)
    seconds = timed(lambda: _copy(text))
    sql("DROP TABLE bench_floor")
    return seconds


def _copy(text: io.BytesIO) -> None:
    from django.db import connection

    with connection.cursor() as cursor, cursor.copy("COPY bench_floor FROM STDIN") as into:
        while piece := text.read(PIECE):
            into.write(piece)
