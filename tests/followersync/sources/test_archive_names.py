"""Renamed, copied and wrapped exports: read where that is safe, else said what to do."""

from __future__ import annotations

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.sources.archive import ArchiveError, Problem, open_archive
from followersync.sources.archive.wording import words
from tests.support.exports import DIALECTS, FOLDER, Export, merged, population
from tests.support.hostile import zipped

PEOPLE = population(40)
EXPORT = Export(PEOPLE, following=population(12, seed=2))
LIST = EXPORT.files()[FOLDER + "followers_1.json"]
PROFILE = "personal_information/personal_information/personal_information.json"


def profile(owner: str) -> dict[str, bytes]:
    text = '{"profile_user":[{"string_map_data":{"Username":{"value":"%s"}}}]}'
    return {PROFILE: (text % owner).encode()}


def refused(data: bytes, name: str) -> ArchiveError:
    with pytest.raises(ArchiveError) as error:
        merged(open_archive(io.BytesIO(data), name=name))
    return error.value


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_zip_whose_tool_wrote_backslashes_is_read_in_every_dialect(dialect):
    files = Export(PEOPLE, following=PEOPLE, dialect=dialect, per_part=15).files()
    turned = {path.replace("/", "\\"): data for path, data in files.items()}

    archive = open_archive(io.BytesIO(zipped({**turned, "connections\\": b""})), name="x.zip")

    assert set(merged(archive)) == set(PEOPLE)
    assert archive.following is not None


@pytest.mark.parametrize("path", ["..\\x.json", "a\\..\\..\\b", "\\etc\\passwd", "C:\\x.json"])
def test_backslashes_do_not_lead_outside(path):
    assert refused(zipped({**EXPORT.files(), path: b"[]"}), "x.zip").problem == Problem.UNSAFE_PATH


def test_one_path_written_with_both_slashes_is_not_guessed_between():
    files = {**EXPORT.files(), (FOLDER + "followers_1.json").replace("/", "\\"): b"[]"}

    assert refused(zipped(files), "x.zip").problem == Problem.SEVERAL_EXPORTS


@pytest.mark.parametrize(
    "name",
    [
        "Copy of followers_1.json",
        "copy (2) of followers_1.json",
        "Kopie von followers_1.json",
        "Copie de followers_1.json",
        "Copia di followers_1.json",
        "followers_1 (2).json",
        "followers_1(1).json",
        "followers_1 2.json",
        "followers_1 copy.json",
        "followers_1 - Copy.json",
        "followers_1 - Kopie (3).json",
        "followers_1-2.json",
        "followers_1_copy.json",
        "FOLLOWERS_1.JSON",
        "followers_1.json.txt",
        "followers_1.json.json",
        "followers.json",
    ],
)
def test_a_copied_list_is_read_by_itself_and_in_a_zip(name):
    alone = open_archive(io.BytesIO(LIST), name=name)
    inside = open_archive(io.BytesIO(zipped({FOLDER + name: LIST})), name="x.zip")

    assert merged(alone) == merged(inside) == PEOPLE


@pytest.mark.parametrize("name", ["my people.json", "list.json", "unfollowers.json", "a.json"])
def test_a_list_by_a_name_that_says_nothing_is_told_what_to_be_called(name):
    error = refused(LIST, name)

    assert error.problem == Problem.NAME_UNKNOWN
    said = words(error.problem, error.member)
    assert name in said
    assert "followers_1.json" in said


def test_a_zip_that_holds_only_a_renamed_list_says_which_file_it_means():
    error = refused(zipped({"x/my_followers.json": LIST, "x/other.json": b"[]"}), "x.zip")

    assert (error.problem, error.member) == (Problem.NAME_UNKNOWN, "x/my_followers.json")


def test_a_copy_beside_the_list_is_left_out_and_another_list_beside_it_is_asked_about():
    path, copy = FOLDER + "followers_1.json", FOLDER + "Copy of followers_1.json"
    other = Export({"zoe": 1_700_000_000}).files()[path]

    same = open_archive(io.BytesIO(zipped({copy: LIST, path: LIST})), name="x.zip")
    error = refused(zipped({copy: other, path: LIST}), "x.zip")

    assert merged(same) == PEOPLE
    assert (error.problem, error.member) == (Problem.PART_TWICE, copy)
    assert copy in words(error.problem, error.member)


@pytest.mark.parametrize("outer", ["download.zip", "instagram-somebody-2026-01-01-AbCd1234.zip"])
def test_a_zip_in_a_zip_is_read_under_its_own_name(outer):
    wrapped = zipped({f"Downloads/{EXPORT.name}": EXPORT.zip(), "__MACOSX/._x.zip": b"x"})

    archive = open_archive(io.BytesIO(wrapped), name=outer)

    assert merged(archive) == PEOPLE
    assert (archive.owner_username, archive.exported_on) == ("alice.there", date(2026, 8, 11))


@pytest.mark.parametrize(
    "files",
    [
        {"a.zip": EXPORT.zip(), "b.zip": EXPORT.zip()},
        {"a.zip": zipped({"b.zip": EXPORT.zip()})},
    ],
    ids=["two of them", "two layers"],
)
def test_what_is_wrapped_in_more_than_one_way_is_told_to_be_unpacked(files):
    error = refused(zipped(files), "x.zip")

    assert error.problem == Problem.PACKED_INSIDE
    assert error.member in words(error.problem, error.member)


def test_a_zip_beside_the_list_changes_nothing():
    archive = open_archive(io.BytesIO(zipped({**EXPORT.files(), "old.zip": b"x"})), name="x.zip")

    assert merged(archive) == PEOPLE


@pytest.mark.parametrize(
    "name",
    [
        "backup_20261120.zip",
        "alice_20200131.zip",
        "instagram-backup-2026-11-20.zip",
        "instagram-backup-2026-11-20-copy.zip",
        "instagram-backup-2026-11-20-AbCd1234567.zip",
    ],
)
def test_a_name_that_only_looks_like_instagrams_states_neither_owner_nor_day(name):
    archive = open_archive(io.BytesIO(EXPORT.zip()), name=name)

    assert (archive.owner_username, archive.exported_on) == (None, None)
    assert archive.owner_hint in ("backup", "alice")


@given(word=st.from_regex(r"\A[a-z0-9._]{1,30}\Z"), day=st.dates())
def test_the_profile_inside_decides_whatever_the_zip_and_its_folders_are_called(word, day):
    data = Export(PEOPLE, prefix=f"{word}_{day:%Y%m%d}/").files()
    data |= {f"{word}_{day:%Y%m%d}/{PROFILE}": profile("its.owner")[PROFILE]}
    for name in (f"{word}_{day:%Y%m%d}.zip", f"instagram-{word}-{day.isoformat()}-AbCd1234.zip"):
        archive = open_archive(io.BytesIO(zipped(data)), name=name)

        assert archive.owner_username == "its.owner"


def test_the_folder_that_instagram_named_counts_before_the_zip_that_somebody_renamed():
    export = Export(PEOPLE, prefix="instagram-alice.there-2026-08-11-Zzt7gCja/")

    archive = open_archive(io.BytesIO(export.zip()), name="backup_20261120.zip")

    assert (archive.owner_username, archive.exported_on) == ("alice.there", date(2026, 8, 11))
