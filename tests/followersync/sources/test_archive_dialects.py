"""Whatever set of people an export lists, in whatever dialect, exactly that set is read."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from followersync.sources.archive import ArchiveError, Problem, open_archive
from followersync.sources.archive.usernames import unmangle
from tests.support import lanes
from tests.support.exports import DIALECTS, Export, mangle, merged, population

FIXTURES = Path(__file__).parents[2] / "fixtures" / "export"
NOW = 1_787_000_000

handles = st.from_regex(r"\A[a-z0-9._]{1,30}\Z").filter(
    # A name without a letter or digit cannot be told from a path; Instagram gives none out.
    lambda name: any(character.isalnum() for character in name)
)
seconds = st.integers(1_286_323_200, NOW)


def read(export: Export, **how) -> dict[str, int | None]:
    return merged(open_archive(io.BytesIO(export.zip()), name=export.name, now=NOW, **how))


def expected(people: dict[str, int], dialect: str) -> dict[str, int]:
    minute = 60 if dialect.startswith("html") else 1
    return {name: second // minute * minute for name, second in people.items()}


@pytest.mark.parametrize("dialect", DIALECTS)
@given(people=st.dictionaries(handles, seconds, max_size=30), per_part=st.integers(1, 40))
@example(people={"_u": 1_286_323_200, "0": 1_286_323_200}, per_part=1)
@settings(max_examples=settings.default.max_examples // 4, deadline=None)
def test_any_set_written_in_any_dialect_is_read_back_the_same(dialect, people, per_part):
    export = Export(people, dialect=dialect, per_part=per_part)

    assert read(export) == expected(people, dialect)


@pytest.mark.parametrize("dialect", lanes.first(DIALECTS))
def test_lists_longer_than_one_piece_are_read_whole(dialect):
    people = population(15_000)

    assert read(Export(people, dialect=dialect, per_part=9_000)) == expected(people, dialect)


@pytest.mark.parametrize(
    "prefix", ["", "meta-2026-Aug-11-09-04-51/instagram-alice.there-2026/", "a/"]
)
def test_nested_folders_and_what_macos_adds_do_not_hide_the_list(prefix):
    people = population(50)
    junk = {
        f"__MACOSX/{prefix}connections/followers_and_following/._followers_1.json": b"\0\5\x16\7",
        "your_instagram_activity/threads/followers.json": b'{"text_post_app_x": []}',
    }

    assert read(Export(people, prefix=prefix, extra=junk)) == people


def test_an_unpacked_folder_and_a_single_list_are_read_like_the_zip(tmp_path):
    export = Export(population(50), following=population(20, seed=2))
    root = export.write_folder(tmp_path)
    single = root / "connections/followers_and_following/followers_1.json"

    folder, alone = open_archive(root, now=NOW), open_archive(single, now=NOW)

    assert merged(folder) == merged(alone) == export.followers
    assert folder.owner_username == "alice.there"
    assert folder.following is not None
    assert folder.following.rows == 20
    assert alone.owner_username is None


def test_a_name_listed_twice_counts_once_with_its_newest_follow():
    twice = Export({"anna": 1_700_000_000})
    files = twice.files()
    path = next(iter(files))
    again = Export({"Anna": 1_750_000_000, "ben": 1_600_000_000}).files()[path]

    archive = open_archive(io.BytesIO(_zip({path: files[path], path.replace("1.", "2."): again})))

    assert merged(archive) == {"anna": 1_750_000_000, "ben": 1_600_000_000}


def test_a_missing_part_is_noticed():
    export = Export(population(50), per_part=10, leave_out_parts=frozenset({3}))

    archive = open_archive(io.BytesIO(export.zip()), name=export.name, now=NOW)
    merged(archive)

    assert archive.parts == (1, 2, 4, 5)
    assert archive.missing_parts == (3,)
    newest_of_rest = archive.part_ranges[4].newest
    assert newest_of_rest is not None
    assert newest_of_rest < (archive.part_ranges[2].oldest or 0)


@pytest.mark.parametrize(
    ("name", "owner", "day"),
    [
        ("instagram-alice.there-2026-08-11-Zzt7gCja.zip", "alice.there", date(2026, 8, 11)),
        ("instagram-alice_x-2026-08-11-Zzt7gCja (1).zip", "alice_x", date(2026, 8, 11)),
        ("export.zip", None, None),
        ("instagram-alice-2026-13-77-Zzt7gCja.zip", None, None),
    ],
)
def test_owner_and_day_come_from_the_archives_name_or_are_unknown(name, owner, day):
    archive = open_archive(io.BytesIO(Export({"ben": 1_700_000_000}).zip()), name=name, now=NOW)

    assert (archive.owner_username, archive.exported_on) == (owner, day)


@pytest.mark.parametrize("dialect", ["html", "html_es", "html_ja", "html_de"])
def test_owner_and_day_of_a_page_come_from_its_header(dialect):
    export = Export({"ben": 1_700_000_000}, dialect=dialect)

    archive = open_archive(io.BytesIO(export.zip()), name="mine.zip", now=NOW)

    assert archive.owner_username == "alice.there"
    assert archive.exported_on == date(2026, 8, 11)


def test_owner_of_a_renamed_full_export_comes_from_its_personal_information():
    profile = b'{"profile_user":[{"string_map_data":{"%s":{"value":"alice.there"}}}]}'
    label = mangle("Имя пользователя").encode()
    path = "personal_information/personal_information/personal_information.json"
    export = Export({"ben": 1_700_000_000}, extra={path: profile % label})

    assert open_archive(io.BytesIO(export.zip()), name="x.zip").owner_username == "alice.there"


def test_rows_of_deleted_people_are_left_out_but_their_times_kept():
    row = b'{"title":"","string_list_data":[{"href":"","value":"","timestamp":1700000001}]}'
    export = Export({"ben": 1_700_000_000, "anna": 1_700_000_009}, dialect="compact")
    files = export.files()
    path = next(iter(files))

    archive = open_archive(io.BytesIO(_zip({path: files[path][:-1] + b"," + row + b"]"})))

    assert set(merged(archive)) == {"ben", "anna"}
    assert archive.nameless == [1_700_000_001]


def test_labels_in_a_language_nobody_foresaw_are_refused_unless_only_one_can_be_the_name():
    ambiguous = (FIXTURES / "label-values" / "ambiguous.json").read_bytes()
    russian = (FIXTURES / "label-values" / "close_friends.ru.json").read_text()
    unknown = russian.replace(mangle("Имя пользователя").encode("unicode-escape").decode(), "Qx")

    with pytest.raises(ArchiveError) as refused:
        merged(open_archive(io.BytesIO(ambiguous), name="followers_1.json"))
    archive = open_archive(io.BytesIO(unknown.encode()), name="followers_1.json")

    assert refused.value.problem == Problem.AMBIGUOUS_NAMES
    assert set(merged(archive)) == {"ada.example", "bea_example", "cem.ornek"}


def test_double_encoded_texts_are_mended_and_right_ones_left_alone():
    import json

    for case in json.loads((FIXTURES / "mojibake" / "strings.json").read_text()):
        assert unmangle(case["raw"]) == case["fixed"]


@pytest.mark.slow
def test_reading_a_long_list_holds_one_piece_of_it_in_memory():
    export = Export(population(60_000), dialect="array")
    file = io.BytesIO(export.zip())
    archive = open_archive(file, name=export.name, now=NOW)

    tracemalloc.start()
    rows = sum(len(batch.usernames) for batch in archive.batches())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert rows == 60_000
    assert peak < 12_000_000


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path, data in files.items():
            file.writestr(path, data)
    return buffer.getvalue()
