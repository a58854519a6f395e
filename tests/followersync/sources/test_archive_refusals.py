"""Archives that are broken or mean harm end in a clear error, with nothing read from them."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from django.utils import translation

from followersync.sources.archive import ArchiveError, Limits, Problem, open_archive
from followersync.sources.archive.wording import DETAILS
from tests.support.exports import DIALECTS, FOLDER, Export, merged, population

PATH = FOLDER + "followers_1.json"
GOOD = Export(population(3_000))


def refuse(data: bytes | Path, name: str = "export.zip", **how) -> Problem:
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    with pytest.raises(ArchiveError) as refused:
        merged(open_archive(source, name=name, **how))
    assert str(DETAILS[refused.value.problem])
    return refused.value.problem


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in files.items():
            file.writestr(path, data)
    return buffer.getvalue()


def test_a_zip_that_grows_without_measure_is_not_unpacked():
    bomb = zipped({PATH: b"[" + b" " * 20_000_000 + b"]"})

    assert refuse(bomb) == Problem.BOMB


def test_a_zip_that_lies_about_its_size_is_cut_short():
    data = bytearray(zipped({PATH: b"[" + b" " * 3_000_000 + b"]"}))
    directory = data.rfind(b"PK\1\2")
    for at in (22, directory + 24):
        data[at : at + 4] = struct.pack("<I", 1000)

    assert refuse(bytes(data)) == Problem.DAMAGED


@pytest.mark.parametrize(
    "limits", [Limits(member_bytes=100_000), Limits(total_bytes=100_000)], ids=["member", "total"]
)
def test_lists_beyond_the_caps_are_refused(limits):
    assert refuse(GOOD.zip(), limits=limits) == Problem.TOO_LARGE
    assert refuse(GOOD.files()[PATH], name="followers_1.json", limits=limits) == Problem.TOO_LARGE


def test_gigabytes_of_pictures_beside_the_list_do_not_matter():
    export = Export(GOOD.followers, extra={"media/posts/film.mp4": b"\0" * 5_000_000})

    archive = open_archive(io.BytesIO(export.zip()), limits=Limits(member_bytes=1_000_000))

    assert merged(archive) == GOOD.followers


def test_a_table_of_contents_too_long_to_hold_is_not_read():
    many = zipped({f"media/{number}.jpg": b"" for number in range(300)})

    assert refuse(many, limits=Limits(members=200)) == Problem.TOO_MANY_FILES


@pytest.mark.parametrize("path", ["../followers_1.json", "/etc/passwd", "a/../../b", "C:\\x\\y"])
def test_names_that_point_outside_are_refused(path):
    assert refuse(zipped({**GOOD.files(), path: b"[]"})) == Problem.UNSAFE_PATH


def test_a_link_in_place_of_the_list_is_not_followed(tmp_path):
    outside = tmp_path / "secret.json"
    outside.write_bytes(GOOD.files()[PATH])
    folder = tmp_path / "export" / FOLDER
    folder.mkdir(parents=True)
    (folder / "followers_1.json").symlink_to(outside)
    info = zipfile.ZipInfo(PATH)
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(info, "/etc/passwd")

    assert refuse(tmp_path / "export") == Problem.UNSAFE_PATH
    assert refuse(buffer.getvalue()) == Problem.UNSAFE_PATH


def test_a_locked_zip_is_refused():
    data = bytearray(GOOD.zip())
    for at in (6, data.rfind(b"PK\1\2") + 8):
        data[at] |= 1

    assert refuse(bytes(data)) == Problem.ENCRYPTED


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_zip_cut_off_while_it_was_copied_is_refused(kept):
    data = GOOD.zip()

    assert refuse(data[: int(len(data) * kept)]) == Problem.DAMAGED


def test_a_zip_with_a_flipped_bit_is_refused():
    data = bytearray(GOOD.zip())
    data[len(data) // 2] ^= 0x40

    assert refuse(bytes(data)) in (Problem.DAMAGED, Problem.WRONG_SHAPE)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.98])
def test_a_list_that_stops_in_the_middle_is_never_taken_for_a_short_one(dialect, kept):
    path, data = next(iter(Export(population(300), dialect=dialect).files().items()))

    problem = refuse(data[: int(len(data) * kept)], name=Path(path).name)

    assert problem in (Problem.DAMAGED, Problem.WRONG_SHAPE, Problem.UNKNOWN_DATES)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b"{]",
        b"[1,2,3]",
        b'["anna"]',
        b'[{"username":"anna"}]',
        b'{"relationships_followers":{"anna":1}}',
        b'{"relationships_followers":[],"more":1}',
        b'[{"string_list_data":"anna"}]',
        b'[{"string_list_data":[{"value":5}]}]',
        b'[{"string_list_data":[{"value":"","href":""}]}]',
        b'[{"string_list_data":[{"value":"anna"}]}] trailing',
        b'[{"string_list_data":[{"value":"anna"}]},{"label_values":[]}]',
        b"\xff\xfe[\0]\0",
    ],
)
def test_a_shape_nobody_knows_is_said_to_be_one(body):
    assert refuse(zipped({PATH: body})) in (Problem.WRONG_SHAPE, Problem.DAMAGED)


@pytest.mark.parametrize(
    "page",
    [
        b"<html><body>Log in</body></html>",
        b'<html><main><a href="https://www.instagram.com/anna">anna</a></main></html>',
    ],
)
def test_a_page_that_is_no_list_is_said_to_be_none(page):
    assert refuse(zipped({FOLDER + "followers_1.html": page})) == Problem.WRONG_SHAPE


def test_a_page_with_dates_in_an_unknown_language_is_refused():
    page = Export({"anna": 1_785_000_000}, dialect="html").files()[FOLDER + "followers_1.html"]

    problem = refuse(zipped({FOLDER + "followers_1.html": page.replace(b"Jul", b"Hein")}))

    assert problem == Problem.UNKNOWN_DATES


def test_old_dates_in_an_unknown_form_are_refused():
    body = b'{"followers":{"anna":"last tuesday"}}'

    assert refuse(zipped({"connections.json": body})) == Problem.UNKNOWN_DATES


def test_two_exports_in_one_archive_are_not_guessed_between():
    second = {"other/" + path: data for path, data in GOOD.files().items()}

    assert refuse(zipped({**GOOD.files(), **second})) == Problem.SEVERAL_EXPORTS


@pytest.mark.parametrize("name", ["photo.jpg", "export.zip", "followers_1.txt"])
def test_what_is_no_archive_is_said_to_be_none(name):
    assert refuse(b"\xff\xd8\xff\xe0 nothing of ours", name=name) == Problem.NOT_AN_ARCHIVE


def test_an_export_without_followers_says_what_to_export():
    assert refuse(zipped({"media/posts.json": b"[]"})) == Problem.NO_FOLLOWER_LIST


def test_every_problem_is_put_in_words():
    with translation.override("en"):
        assert set(DETAILS) == set(Problem)
        assert all(len(str(text)) > 40 for text in DETAILS.values())


@pytest.mark.parametrize("head", [b"", b'[{"string_list_data":[{"value":"ok"}]},'])
def test_a_list_nested_without_end_is_refused_and_is_no_fault_of_ours(head):
    nested = head + b"[" * 200_000 + b"]" * 200_000 + (b"]" if head else b"")

    assert refuse(zipped({PATH: nested})) == Problem.WRONG_SHAPE
