"""A page may be taken for unchanged only where it shows exactly what stands stored there."""

from __future__ import annotations

import pytest

from followersync import store
from followersync.domain.values import StoredConnection
from followersync.models import Follower

PLACES = {key: key << 16 for key in range(1, 9)}


@pytest.fixture
def eight(db) -> None:
    Follower.objects.bulk_create(
        Follower(account_id=1, key=key, place=place, username=f"p{key}")
        for key, place in PLACES.items()
    )


def rows(*keys: int) -> list[tuple[int, str]]:
    return [(key, f"p{key}") for key in keys]


@pytest.mark.usefixtures("eight")
def test_a_page_as_stored_is_known_as_a_whole():
    stretch = store.load_block(1, PLACES[8], 6)

    shown = stretch.shown_by(rows(6, 5, 4), below=PLACES[7])

    assert stretch.people().keys() == {7, 6, 5, 4, 3, 2}
    assert shown == {key: StoredConnection(f"p{key}", PLACES[key], True) for key in (6, 5, 4)}
    assert shown.keys_shown == [6, 5, 4]


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize(
    "page",
    [
        rows(6, 4, 5),
        rows(6, 5, 3),
        rows(7, 6, 5),
        [*rows(6, 5), (4, "renamed")],
        rows(6, 5, 4, 3, 2, 1),
        [],
    ],
    ids=["order", "somebody missing", "elsewhere", "a new name", "beyond the stretch", "empty"],
)
def test_any_other_page_is_not(page):
    stretch = store.load_block(1, PLACES[8], 6)

    assert stretch.shown_by(page, below=PLACES[7]) is None


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize("change", [{"sure": False}, {"place": PLACES[6]}], ids=["unsure", "tied"])
def test_nor_one_whose_places_are_worth_little(change):
    Follower.objects.filter(account_id=1, key=5).update(**change)

    stretch = store.load_block(1, PLACES[8], 6)

    assert stretch.shown_by(stretch._rows[1:4], below=PLACES[7]) is None


def test_an_account_without_followers_has_no_stretch(db):
    stretch = store.load_block(1, 1 << 62, 6)

    assert stretch.people() == {}
    assert not stretch.reaches(1 << 62, 1)
