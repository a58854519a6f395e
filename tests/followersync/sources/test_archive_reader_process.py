"""An archive is read by a process of its own, and no archive takes more than it is given."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from followersync.sources.archive import ArchiveError, Problem, open_archive, reader_process
from followersync.sources.archive.reader_process import Allowance
from tests.support import hostile
from tests.support.exports import DIALECTS, Export, merged, population

NOW = 1_787_000_000


def read(data: bytes, tmp_path: Path, name: str = "export.zip", **allowed: float):
    path = tmp_path / "archive"
    path.write_bytes(data)
    allowance = Allowance(**allowed)  # type: ignore[arg-type]
    with (
        path.open("rb") as file,
        reader_process.opened(
            file, name=name, now=NOW, allowance=allowance, scratch=str(tmp_path)
        ) as archive,
    ):
        return merged(archive), archive


@pytest.mark.parametrize("dialect", DIALECTS)
def test_another_process_tells_all_that_this_one_would(dialect, tmp_path):
    export = Export(population(300), following=population(40, seed=2), dialect=dialect, per_part=90)
    here = open_archive(io.BytesIO(export.zip()), name=export.name, now=NOW)
    people = merged(here)

    there, archive = read(export.zip(), tmp_path, export.name)

    assert there == people
    for fact in ("owner_username", "owner_hint", "exported_on", "dialect", "parts"):
        assert getattr(archive, fact) == getattr(here, fact)
    for fact in ("missing_parts", "following", "part_ranges", "nameless", "nameless_undated"):
        assert getattr(archive, fact) == getattr(here, fact)


def test_names_of_any_characters_reach_it(tmp_path):
    name = "Zoë ☕ \ud800 \x00 'quoted' \"twice\" $HOME.zip"

    assert read(Export({"anna": 1_700_000_000}).zip(), tmp_path, name)[0]


@pytest.mark.parametrize("attack", hostile.ATTACKS.values(), ids=hostile.ATTACKS)
def test_every_attack_ends_in_a_clear_error(attack, tmp_path):
    with pytest.raises(ArchiveError) as refused:
        read(attack(), tmp_path)

    assert refused.value.problem in (Problem.WRONG_SHAPE, Problem.DAMAGED)


@pytest.mark.slow
def test_more_memory_than_is_given_is_told_to_the_member(tmp_path):
    crowd = Export(
        population(20), extra={f"media/{number}.json": b"" for number in range(100_000)}
    ).zip()

    with pytest.raises(ArchiveError) as refused:
        read(crowd, tmp_path, memory_bytes=64 << 20)

    assert refused.value.problem == Problem.TOO_HEAVY
    assert len(read(crowd, tmp_path)[0]) == 20


@pytest.mark.slow
def test_more_time_than_is_given_is_told_to_the_member(tmp_path):
    slow = b'{"other":[' + b"{}," * 12_000_000 + b"{}]}"

    with pytest.raises(ArchiveError) as refused:
        read(slow, tmp_path, "connections.json", cpu_seconds=1)

    assert refused.value.problem == Problem.TOO_HEAVY


def test_a_process_that_says_nothing_for_too_long_is_given_up(tmp_path):
    with pytest.raises(ArchiveError) as refused:
        read(Export(population(20)).zip(), tmp_path, silence_seconds=0.001)

    assert refused.value.problem == Problem.TOO_HEAVY


@pytest.mark.slow
def test_whoever_stops_reading_ends_the_process(tmp_path):
    path = Export(population(50_000)).write_zip(tmp_path)
    before = _children()

    with path.open("rb") as file, reader_process.opened(file, name=path.name, now=NOW) as archive:
        next(archive.batches())
        assert len(_children() - before) == 1

    assert _children() == before


def test_the_process_is_given_no_secret_and_knows_no_django():
    """What the worker imports is what an archive that takes it over could use."""
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, sys, followersync.sources.archive.reader_worker as w;"
            "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))",
        ],
        capture_output=True,
        check=True,
        text=True,
    )

    modules = set(json.loads(said.stdout))
    assert not modules & {"django", "psycopg", "httpx", "accounts", "threadsite"}


def _children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())
