"""The spool by name: each person once, with the newest second, however the runs are cut."""

from __future__ import annotations

import io
from random import Random

import pytest
from django.db import connection

from followersync.services.imports import external_sort
from followersync.store import archive_load


@pytest.mark.parametrize("run_bytes", [40, 300, 1 << 20])
@pytest.mark.parametrize("read_bytes", [1, 100, 1 << 20])
def test_each_name_comes_once_with_its_newest_second(
    monkeypatch: pytest.MonkeyPatch, run_bytes: int, read_bytes: int
) -> None:
    monkeypatch.setattr(external_sort, "RUN_BYTES", run_bytes)
    monkeypatch.setattr(external_sort, "READ_BYTES", read_bytes)
    random = Random(run_bytes + read_bytes)
    rows = [
        (
            random.choice("abc._1") * random.randint(1, 4),
            random.choice(["", "1500000001", "1400000000"]),
        )
        for _ in range(400)
    ]
    spool = io.BytesIO("".join(f"{name}\t{second}\n" for name, second in rows).encode())

    people = [each for block in external_sort.by_name(spool) for each in block.items()]

    newest: dict[str, str] = {}
    for name, second in rows:
        newest[name] = max(newest.get(name, ""), second)
    assert people == [(name.encode(), newest[name].encode()) for name in sorted(newest)]


def test_an_empty_spool_holds_nobody() -> None:
    assert [block for block in external_sort.by_name(io.BytesIO()) if block] == []


@pytest.mark.django_db
def test_keys_are_as_many_as_asked_for_and_all_different() -> None:
    drawn = [
        *archive_load.draw_keys(250),
        *archive_load.draw_keys(1),
        *archive_load.draw_keys(30),
    ]
    assert len(set(drawn)) == 281
    assert drawn == sorted(drawn)
    assert list(archive_load.draw_keys(0)) == []


@pytest.mark.django_db
def test_keys_drawn_while_others_draw_are_several_ranges() -> None:
    with connection.cursor() as cursor:
        # As if others had taken each second number.
        cursor.execute("ALTER SEQUENCE followersync_surrogate INCREMENT 2")
    drawn = list(archive_load.draw_keys(50))
    assert len(set(drawn)) == 50
    assert drawn == sorted(drawn)
