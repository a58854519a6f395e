"""Exports as members report them: a part missing, a few people left out, every date another.

If these failed, a member would read that people have left who still follow.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from followersync.models import Absence, Follower, FollowerChange
from followersync.services.imports import requests
from followersync.texts.imports import result_in_words
from tests.followersync.imports.conftest import names
from tests.support import lanes
from tests.support.exports import Export, newest_first, population, write_list

pytestmark = pytest.mark.django_db

FIXTURES = Path(__file__).parents[2] / "fixtures/export/in-a-row"
FOLDER = "connections/followers_and_following/"
FIRST = date(2026, 11, 20)
NEWEST = int(datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp())
NOBODY = "Nobody was taken for gone."

Rows = list[tuple[str, int]]


@pytest.fixture
def hand_in(clock, django_capture_on_commit_callbacks):
    """Import a zip under Instagram's name for the day; the closed run, and the words about it."""

    def hand_in(account, data: bytes, day: int):
        clock.moment = datetime(2026, 11, 20, 15, tzinfo=UTC) + timedelta(days=day)
        run = requests.request_import(
            account=account,
            uploaded_file=io.BytesIO(data),
            channel="web",
            file_name=f"instagram-alice.there-{FIRST + timedelta(days=day)}-Zzt7gCja.zip",
        )
        requests.advance(run.pk)
        run.refresh_from_db()
        assert run.state == "succeeded", run.error_code
        return run, " ".join(result_in_words(run))

    return hand_in


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def with_newcomer(data: bytes, name: str, second: int) -> bytes:
    """The same export after somebody has come."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for path in old.namelist():
            content = old.read(path)
            if path.endswith("followers_1.json"):
                rows = json.loads(write_list([(name, second)], "array"))
                content = json.dumps(rows + json.loads(content)).encode()
            new.writestr(path, content)
    return buffer.getvalue()


def in_parts(parts: dict[int, Rows]) -> bytes:
    """An export of just these numbered parts."""
    extra = {f"{FOLDER}followers_{n}.json": write_list(rows, "array") for n, rows in parts.items()}
    following = {f"friend{n}": NEWEST - n * 2 * 86_400 for n in range(12)}
    extra[FOLDER + "following.json"] = write_list(newest_first(following), "following")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path, content in extra.items():
            file.writestr(path, content)
    return buffer.getvalue()


def told(account) -> set[str]:
    changes = FollowerChange.objects.filter(account_id=account.pk)
    return set(changes.filter(kind__in=("lost", "returned")).values_list("kind", flat=True))


def test_a_missing_part_beside_an_old_date_in_an_early_one_loses_nobody(kept, hand_in):
    hand_in(kept, fixture("three-parts-whole.zip"), 0)

    run, words = hand_in(kept, fixture("three-parts-without-the-second.zip"), 1)

    assert run.lost == 0
    assert len(names(kept)) == 200
    assert not Absence.objects.exists()
    assert "One of its numbered files is missing." in words
    assert NOBODY in words
    assert "no longer in your list" not in words


def test_who_is_missing_from_one_export_is_unconfirmed_and_lost_by_the_second(kept, hand_in):
    hand_in(kept, fixture("sixty-people.zip"), 0)
    without = fixture("sixty-people-without-five.zip")

    first, first_words = hand_in(kept, without, 1)
    missed = list(Absence.objects.filter(account_id=kept.pk))
    second, second_words = hand_in(kept, with_newcomer(without, "new.one", NEWEST), 2)

    assert (first.lost, len(missed)) == (0, 5)
    assert NOBODY in first_words
    assert "5 people of your list are not in this export." in first_words
    assert "at least six hours after" in first_words
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert {(a.unconfirmed_since, a.looks, a.witnessed, a.last_at) for a in missed} == {
        (at, 1, 1, at)
    }
    assert second.lost == 5
    assert NOBODY not in second_words
    assert "5 people are no longer in your list." in second_words
    assert not Absence.objects.exists()


def test_who_is_shown_again_by_the_next_export_was_neither_lost_nor_returned(kept, hand_in):
    whole = fixture("sixty-people.zip")
    hand_in(kept, whole, 0)
    hand_in(kept, fixture("sixty-people-without-five.zip"), 1)

    run, _ = hand_in(kept, with_newcomer(whole, "new.one", NEWEST + 2 * 86_400), 2)

    assert (run.lost, run.returned, run.gained) == (0, 0, 1)
    assert not Absence.objects.exists()


@pytest.mark.parametrize("later", [0, 1, 5])
def test_the_same_content_is_no_second_look_whatever_the_day_in_its_name(kept, hand_in, later):
    hand_in(kept, fixture("sixty-people.zip"), 0)
    hand_in(kept, fixture("sixty-people-without-five.zip"), 1)

    run, words = hand_in(kept, fixture("sixty-people-without-five.zip"), 1 + later)

    assert run.lost == 0
    assert "The same content counts only once." in words
    assert NOBODY in words
    assert Absence.objects.filter(witnessed=1).count() == 5


def test_two_exports_of_one_day_are_one_look_unless_their_newest_rows_are_hours_apart(
    kept, hand_in
):
    hand_in(kept, fixture("sixty-people.zip"), 0)
    without = fixture("sixty-people-without-five.zip")
    hand_in(kept, without, 1)
    noon = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp())

    soon, words = hand_in(kept, with_newcomer(without, "soon.after", noon + 3_600), 1)
    late, _ = hand_in(kept, with_newcomer(without, "long.after", noon + 6 * 3_600), 1)

    assert soon.lost == 0
    assert "less than six hours before" in words
    # The export of the afternoon lacks only who came at one o'clock, which is no loss yet.
    assert late.lost == 5


def test_who_is_in_both_is_neither_lost_nor_returned_though_every_date_is_another(kept, hand_in):
    whole, redated = fixture("sixty-people.zip"), fixture("sixty-people-all-redated.zip")
    hand_in(kept, whole, 0)
    dates = dict(Follower.objects.values_list("username", "since"))

    run, words = hand_in(kept, redated, 1)

    assert (run.lost, run.returned, run.gained) == (0, 0, 0)
    assert told(kept) == set()
    assert dict(Follower.objects.values_list("username", "since")) == dates
    assert "so its dates prove nothing" in words
    assert "range of dates" not in words
    assert not Absence.objects.exists()


def rows_of(count: int = 200) -> Rows:
    return newest_first(population(count, newest=NEWEST))


def middle(rows: Rows) -> Rows:
    """The second of three parts."""
    return rows[len(rows) // 3 : 2 * len(rows) // 3]


def three(rows: Rows) -> dict[int, Rows]:
    third = len(rows) // 3
    return {1: rows[:third], 2: rows[third : 2 * third], 3: rows[2 * third :]}


def missing(rows: Rows) -> dict[int, Rows]:
    parts = three(rows)
    return {1: parts[1], 3: parts[3]}


def renumbered(rows: Rows) -> dict[int, Rows]:
    parts = three(rows)
    return {1: parts[1], 2: parts[3]}


def merged(rows: Rows) -> dict[int, Rows]:
    parts = three(rows)
    return {1: parts[1] + parts[3]}


def old_date_early(rows: Rows) -> dict[int, Rows]:
    parts = three(rows)
    return {1: [parts[1][0], parts[3][-1], *parts[1][1:]], 2: parts[3][:-1]}


def part_twice(rows: Rows) -> dict[int, Rows]:
    parts = three(rows)
    return {1: parts[1], 2: parts[1], 3: parts[3]}


def swapped_and_short(rows: Rows) -> dict[int, Rows]:
    parts = three(rows)
    return {1: parts[3], 2: parts[1]}


def anothers(rows: Rows) -> dict[int, Rows]:
    parts = three(rows)
    foreign = [(f"foreign.{n}", second - 1) for n, (_, second) in enumerate(parts[2])]
    return {1: parts[1], 2: foreign, 3: parts[3]}


def overlapping(rows: Rows) -> dict[int, Rows]:
    parts = three(rows)
    mixed = sorted([*parts[1], *parts[3]], key=lambda row: row[0])
    return {1: newest_first(dict(mixed[:66])), 2: newest_first(dict(mixed[66:]))}


def block(rows: Rows) -> dict[int, Rows]:
    return {1: rows[:90] + rows[98:]}


@pytest.mark.parametrize(
    "way",
    lanes.first(
        [
            missing,
            renumbered,
            merged,
            old_date_early,
            part_twice,
            swapped_and_short,
            anothers,
            overlapping,
            block,
        ]
    ),
)
def test_a_piece_that_is_missing_from_export_after_export_loses_nobody(kept, hand_in, way):
    rows = rows_of()
    hand_in(kept, in_parts(three(rows)), 0)

    for day in range(1, 6):
        newcomers = [(f"new.{n}", NEWEST + n * 86_400) for n in range(day, 0, -1)]
        parts = way(rows)
        parts[1] = newcomers + parts[1]
        run, words = hand_in(kept, in_parts(parts), day)
        assert (run.lost, run.returned) == (0, 0), words
        assert NOBODY in words
        assert "This looks like your whole list." not in words or "neighbours" in words

    assert {name for name, _ in rows} <= names(kept)
    assert told(kept) == set()


def test_parts_merged_into_one_file_are_the_whole_list(kept, hand_in):
    rows = rows_of()
    hand_in(kept, in_parts(three(rows)), 0)
    gone = rows[100][0]
    left = [row for row in rows if row[0] != gone]

    for day in (1, 2):
        left = [(f"new.{day}", NEWEST + day * 86_400), *left]
        shuffled = random.Random(day).sample(left, len(left))
        run, _ = hand_in(kept, in_parts({1: shuffled}), day)

    assert run.lost == 1
    assert gone not in names(kept)


def test_a_fall_of_over_a_tenth_is_decided_by_the_third_export_that_agrees(kept, hand_in):
    rows = rows_of()
    hand_in(kept, in_parts({1: rows}), 0)
    left = [row for index, row in enumerate(rows) if index % 7]
    lost = []

    for day in range(1, 4):
        left = [(f"new.{day}", NEWEST + day * 86_400), *left]
        run, words = hand_in(kept, in_parts({1: left}), day)
        lost.append(run.lost)
        if day == 1:
            assert "It lists far fewer of your followers than before." in words

    assert lost == [0, 0, 29]
    assert names(kept) == {name for name, _ in left}


def test_a_strangers_part_adds_nobody_and_its_people_are_never_told_as_lost(kept, hand_in):
    rows = rows_of()
    hand_in(kept, in_parts(three(rows)), 0)
    foreign = [(f"foreign.{n}", second - 1) for n, (_, second) in enumerate(middle(rows))]

    run, words = hand_in(kept, in_parts({**three(rows), 4: foreign}), 1)
    after, _ = hand_in(kept, in_parts({1: [("new.1", NEWEST + 86_400), *rows]}), 2)

    assert (run.found, after.lost) == (0, 0)
    assert "They were not added." in words
    assert not any(name.startswith("foreign") for name in names(kept))


def test_an_older_export_handed_in_late_clears_no_doubt_and_makes_none(kept, hand_in, clock):
    rows = rows_of()
    hand_in(kept, in_parts({1: rows}), 1)
    hand_in(kept, in_parts({1: rows[:50] + rows[51:]}), 5)

    late = Export(dict(rows[:50] + rows[52:]), following=dict(rows_of(20)), day=FIRST)
    run = requests.request_import(
        account=kept,
        uploaded_file=io.BytesIO(late.zip()),
        channel="web",
        file_name=late.name,
    )
    requests.advance(run.pk)

    run.refresh_from_db()
    words = " ".join(result_in_words(run))
    assert run.lost == 0
    assert "made before an export" in words
    assert Absence.objects.get().witnessed == 1
