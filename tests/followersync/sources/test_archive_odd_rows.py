"""Rows with nulls and gaps: the one person is lost from sight at most, never the whole list."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.sources.archive import ArchiveError, Problem, open_archive
from tests.support.exports import merged, population, write_list

PEOPLE = population(400)


def rows(dialect: str) -> list[Any]:
    written = json.loads(write_list(PEOPLE.items(), dialect))
    return list(written["relationships_followers"]) if isinstance(written, dict) else written


def opened(listed: list[Any]):
    return open_archive(io.BytesIO(json.dumps(listed).encode()), name="followers_1.json")


@pytest.mark.parametrize("at", [0, 7, -1])
@pytest.mark.parametrize(
    "row",
    [
        None,
        {},
        {"title": "", "media_list_data": []},
        {"title": None, "string_list_data": None},
        {"title": None, "string_list_data": []},
        {"title": None, "string_list_data": [None]},
        {"string_list_data": [{}]},
        {"string_list_data": [{"href": None, "value": None, "timestamp": None}]},
        {"title": "Somebody's display name", "string_list_data": [{"value": ""}]},
    ],
)
def test_a_row_that_names_nobody_is_counted_and_the_rest_is_read(row, at):
    listed = rows("array")
    listed.insert(at if at >= 0 else len(listed), row)

    archive = opened(listed)

    assert merged(archive) == PEOPLE
    assert archive.unnamed == 1
    assert archive.nameless_undated == 1


@pytest.mark.parametrize("row", [None, {}, {"label_values": None}, {"label_values": [None]}])
def test_the_same_of_labelled_rows(row):
    listed = rows("label_values")
    listed.insert(3, row)

    archive = opened(listed)

    assert merged(archive) == PEOPLE
    assert archive.unnamed == 1


@given(st.data())
def test_null_is_the_same_as_absent_wherever_it_stands(data):
    listed = rows("array")[:30]
    nulled, removed = json.loads(json.dumps(listed)), json.loads(json.dumps(listed))
    for index in data.draw(st.sets(st.integers(0, 29), max_size=12)):
        key = data.draw(st.sampled_from(["title", "media_list_data", "href", "value", "timestamp"]))
        for copy, null in ((nulled, True), (removed, False)):
            link = copy[index]["string_list_data"][0]
            place = link if key in link else copy[index]
            place[key] = None
            if not null:
                del place[key]

    first, second = opened(nulled), opened(removed)

    assert merged(first) == merged(second)
    assert first.unnamed == second.unnamed == 0


def test_a_list_of_such_rows_alone_is_no_list():
    with pytest.raises(ArchiveError) as refused:
        merged(opened([None, {"title": None}]))

    assert refused.value.problem == Problem.WRONG_SHAPE


@pytest.mark.parametrize(
    ("dialect", "other"), [("array", "label_values"), ("label_values", "array")]
)
def test_rows_of_two_dialects_are_not_read_as_rows_without_a_name(dialect, other):
    listed = [*rows(dialect), rows(other)[0]]

    with pytest.raises(ArchiveError) as refused:
        merged(opened(listed))

    assert refused.value.problem == Problem.WRONG_SHAPE
