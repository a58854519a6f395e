"""Every sample export with its outcome."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from followersync.sources.archive import ArchiveError, Problem, open_archive
from tests.support.exports import merged

FIXTURES = Path(__file__).parents[2] / "fixtures" / "export"
OWNER = ("account_owner", date(2026, 8, 11))
NOBODY = (None, None)

READ = [
    # file, called, dialect, people, (owner, day)
    ("golden-2026-08-11/followers_1.json", None, "array", 25, NOBODY),
    ("golden-2026-08-11/followers_1.html", None, "html", 25, (None, date(2026, 8, 11))),
    (
        "golden-2026-08-11/following.es.html",
        "followers_1.html",
        "html",
        4,
        (None, date(2026, 8, 26)),
    ),
    (
        "golden-2026-08-11/following.ja.html",
        "followers_1.html",
        "html",
        4,
        (None, date(2026, 8, 26)),
    ),
    ("golden-2026-08-11/following.html", "followers_1.html", "html", 25, (None, date(2026, 8, 11))),
    ("legacy-2021/followers.json", None, "relationships", 2, NOBODY),
    ("label-values/followers_1.hypothetical.json", None, "label_values", 3, NOBODY),
    ("label-values/close_friends.en.json", "followers_1.json", "label_values", 3, NOBODY),
    ("label-values/close_friends.ru.json", "followers_1.json", "label_values", 3, NOBODY),
    ("drift/empty_array.json", "followers_1.json", "array", 0, NOBODY),
    ("zips/instagram-account_owner-2026-08-11-Zzt7gCja.json.zip", None, "array", 25, OWNER),
    ("zips/google-drive-layout.zip", None, "array", 25, OWNER),
    ("zips/names-with-backslashes.zip", None, "array", 60, NOBODY),
    ("renamed/backup_20261120.zip", None, "array", 60, ("owner.of.account", None)),
    ("renamed/Copy of followers_1.json", None, "array", 60, NOBODY),
    ("renamed/zip-in-zip.zip", None, "array", 60, ("x", date(2026, 11, 3))),
    ("odd-rows/value-null-in-one.zip", None, "array", 60, NOBODY),
    ("odd-rows/title-null-and-value-missing-in-one.zip", None, "array", 60, NOBODY),
    ("odd-rows/string_list_data-missing-in-one.zip", None, "array", 59, NOBODY),
]
REFUSED = [
    ("golden-2026-08-11/following.json", None, Problem.ANOTHER_LIST),
    ("golden-2026-08-11/following.json", "followers_1.json", Problem.ANOTHER_LIST),
    ("golden-2026-08-11/following.html", None, Problem.ANOTHER_LIST),
    ("label-values/close_friends.en.json", None, Problem.NAME_UNKNOWN),
    ("label-values/ambiguous.json", "followers_1.json", Problem.AMBIGUOUS_NAMES),
    ("threads/followers.json", None, Problem.ONLY_THREADS),
    ("threads/following.json", None, Problem.ONLY_THREADS),
    ("drift/not_a_list.json", "followers_1.json", Problem.WRONG_SHAPE),
    ("drift/unknown_key.json", "followers_1.json", Problem.WRONG_SHAPE),
    ("drift/null.json", "followers_1.json", Problem.NOT_AN_ARCHIVE),
    ("drift/no_username.json", "followers_1.json", Problem.WRONG_SHAPE),
    ("drift/empty_array.json", None, Problem.NAME_UNKNOWN),
    ("mojibake/strings.json", None, Problem.NAME_UNKNOWN),
    ("mojibake/strings.json", "followers_1.json", Problem.WRONG_SHAPE),
]


@pytest.mark.parametrize(("file", "called", "dialect", "people", "said"), READ)
def test_what_is_understood_is_read_whole(file, called, dialect, people, said, tmp_path):
    archive = open_archive(_placed(file, called, tmp_path))

    assert len(merged(archive)) == people
    assert archive.dialect == dialect
    assert (archive.owner_username, archive.exported_on) == said


@pytest.mark.parametrize(("file", "called", "problem"), REFUSED)
def test_what_is_not_understood_never_becomes_an_empty_list(file, called, problem, tmp_path):
    with pytest.raises(ArchiveError) as refused:
        merged(open_archive(_placed(file, called, tmp_path)))

    assert refused.value.problem == problem


def test_every_sample_has_its_outcome():
    listed = {row[0] for row in (*READ, *REFUSED)}

    there = {p.relative_to(FIXTURES).as_posix() for p in FIXTURES.rglob("*.*") if p.is_file()}

    # Exports that mean something only one after the other have tests of their own.
    assert {name for name in there if not name.startswith("in-a-row/")} == listed


def test_the_page_and_the_json_of_one_hour_tell_the_same_to_the_minute():
    exact = merged(open_archive(FIXTURES / "golden-2026-08-11" / "followers_1.json"))
    page = merged(open_archive(FIXTURES / "golden-2026-08-11" / "followers_1.html"))

    assert page == {name: (second or 0) // 60 * 60 for name, second in exact.items()}


def test_the_list_of_followed_accounts_is_read_for_its_dates():
    archive = open_archive(FIXTURES / "golden-2026-08-11")

    assert archive.following is not None
    assert (archive.following.rows, archive.following.oldest) == (25, 1_775_850_928)


def _placed(file: str, called: str | None, folder: Path) -> Path:
    """The sample, under another name where one is asked for."""
    if called is None:
        return FIXTURES / file
    return Path(shutil.copyfile(FIXTURES / file, folder / called))
