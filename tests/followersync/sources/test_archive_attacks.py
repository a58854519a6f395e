"""A small upload cannot fill the memory or hold the process of whoever reads it.

What is measured is what was read and what was held, never the time.
"""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator

import pytest

from followersync.sources.archive import (
    ArchiveError,
    Limits,
    Problem,
    check_container,
    html_rows,
    open_archive,
)
from followersync.sources.archive import connections_json as old_lists
from tests.support import hostile
from tests.support.exports import Export, merged, population

MIB = 1 << 20


class Counting(io.BytesIO):
    """A file that counts the bytes that were read of it."""

    counted = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.counted += len(data)
        return data


def pieces(data: bytes, counted: list[int]) -> Iterator[bytes]:
    """The only member of a zip, as the container hands it on."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(archive.namelist()[0]) as file:
        while piece := file.read(1 << 18):
            counted[0] += len(piece)
            yield piece


def refuse_early(read: Callable[[Iterator[bytes]], object], data: bytes) -> Problem:
    """Read a hostile member; it is refused before a megabyte, and with little held."""
    counted = [0]
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError) as refused:
            read(pieces(data, counted))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert counted[0] <= MIB
    assert peak < 16 * MIB
    return refused.value.problem


@pytest.mark.parametrize(
    "attack", [hostile.value_without_end, hostile.name_without_end, hostile.nested_without_end]
)
def test_an_old_list_is_read_as_events_and_never_as_values(attack):
    problem = refuse_early(lambda data: list(old_lists.rows(data, "connections.json")), attack())

    assert problem == Problem.WRONG_SHAPE


def test_what_lies_beside_an_old_list_is_passed_over_without_being_held():
    data, counted = hostile.value_without_end(1_500_000), [0]

    tracemalloc.start()
    with pytest.raises(ArchiveError):
        list(old_lists.rows(pieces(data, counted), "connections.json", "following"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 16 * MIB


@pytest.mark.parametrize(
    "attack",
    [hostile.comment_without_end, hostile.attribute_without_end, hostile.text_without_end],
)
def test_a_page_whose_end_never_comes_is_not_searched_again_and_again(attack):
    problem = refuse_early(lambda data: list(html_rows.rows(data, "followers_1.html")), attack())

    assert problem == Problem.WRONG_SHAPE


def test_a_declaration_that_the_parser_does_not_know_is_no_fault_of_ours():
    data = hostile.zipped({"x.html": b"<html><body><main>" + b"<![" * 1_000})

    with pytest.raises(ArchiveError) as refused:
        list(html_rows.rows(pieces(data, [0]), "followers_1.html"))

    assert refused.value.problem == Problem.WRONG_SHAPE


@pytest.mark.parametrize("opening", [b"<aside>" + b"x" * 64, b"<div>" * 64, b"<p>" * 64, b"x" * 64])
def test_a_page_without_a_list_is_given_up_before_its_header_fills_the_memory(opening):
    counted = [0]

    owner, day = html_rows.header(pieces(hostile.zipped({"x.html": opening * 400_000}), counted))

    assert (owner, day) == (None, None)
    assert counted[0] <= 2 * MIB


def test_a_directory_that_hides_behind_a_comment_is_not_read():
    file = Counting(hostile.hidden_directory(450_000))

    for look in (check_container, lambda file, name: open_archive(file, name=name)):
        file.counted = 0
        with pytest.raises(ArchiveError) as refused:
            look(file, "export.zip")
        assert refused.value.problem == Problem.DAMAGED
        assert file.counted < MIB // 4


def test_a_directory_with_more_entries_than_it_says_is_not_made_into_objects():
    data = hostile.crowded_directory(60_000)

    tracemalloc.start()
    with pytest.raises(ArchiveError) as refused:
        open_archive(io.BytesIO(data), name="export.zip", limits=Limits(members=40_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert refused.value.problem == Problem.TOO_MANY_FILES
    assert peak < 8 * MIB


def test_whatever_a_zip_ends_with_the_library_reads_no_directory_but_the_one_that_was_checked():
    """Every end that the check lets pass, the library reads in the same place, and as many."""
    good = Export(population(20)).zip()
    at = good.rfind(b"PK\5\6")
    ends = [
        good,
        good[:-2] + struct.pack("<H", 4) + b"note",
        good[:-2] + struct.pack("<H", 40) + b"note",
        good + b"\0",
        good + b"\0" * 30,
        good + good[at:],
        good[:-2] + struct.pack("<H", 22) + good[at:],
        b"stub" + good,
        good[:at] + b"PK\6\7" + bytes(16) + good[at:],
        good[:at] + b"PK\6\6" + bytes(52) + b"PK\6\7" + struct.pack("<LQL", 0, at, 1) + good[at:],
        good[: at + 8] + struct.pack("<HH", 9, 9) + good[at + 12 :],
        good[: at + 12] + struct.pack("<L", 1 << 30) + good[at + 16 :],
    ]
    refusals = (Problem.DAMAGED, Problem.NOT_AN_ARCHIVE, Problem.TOO_MANY_FILES)
    passed = 0
    for data in ends:
        try:
            check_container(io.BytesIO(data), "export.zip")
            archive = open_archive(io.BytesIO(data), name="export.zip")
        except ArchiveError as error:
            assert error.problem in refusals  # noqa: PT017
            continue
        passed += 1
        assert len(merged(archive)) == 20
    assert passed == 2


def test_the_check_of_a_request_reads_the_ends_of_a_large_upload_alone():
    export = Export(population(50), extra={"media/film.mp4": hostile.noise(2 * MIB)})
    file = Counting(export.zip())

    check_container(file, export.name)

    assert file.counted < 100_000


def test_a_zip_in_a_zip_counts_towards_the_same_caps():
    wrapped = hostile.zipped({"export.zip": Export(population(4_000)).zip()})

    with pytest.raises(ArchiveError) as refused:
        open_archive(io.BytesIO(wrapped), name="x.zip", limits=Limits(member_bytes=20_000))

    assert refused.value.problem == Problem.TOO_LARGE


@pytest.mark.parametrize(
    "date", ["1" * 5_000, "1e400000000", "9" * 400, '"9999-12-31T23:59:59-23:59"']
)
def test_a_number_beyond_measure_is_a_wrong_shape_and_no_fault_of_ours(date):
    body = b'{"followers":{"anna":%s}}' % date.encode()
    try:
        people = merged(open_archive(io.BytesIO(hostile.zipped({"connections.json": body}))))
    except ArchiveError as error:
        assert error.problem in (Problem.WRONG_SHAPE, Problem.UNKNOWN_DATES)  # noqa: PT017
    else:
        assert people == {"anna": None}


def test_labels_nested_without_end_are_not_followed():
    nested = b'{"dict":[' * 300 + b"{}" + b"]}" * 300
    body = b'[{"label_values":[{"label":"Username","value":"anna"},%s],"timestamp":1}]' % nested

    archive = open_archive(io.BytesIO(body), name="followers_1.json")

    assert merged(archive) == {"anna": None}
