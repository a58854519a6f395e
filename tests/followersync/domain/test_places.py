"""What one page says: a wrong answer here would put people where they do not stand."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from followersync.domain.page_diff import PageReading, read_page
from followersync.domain.page_order import ScanPosition, longest_run
from followersync.domain.state import GAP
from followersync.domain.values import AddedKind, PageFault, StoredConnection, UnchangedPage

BASE = 1_000 * GAP


def position(**changes: object) -> ScanPosition:
    values: dict[str, object] = {
        "floor": BASE + 50 * GAP,
        "at_top": True,
        "first": True,
        "baseline": False,
        "renumber": False,
        "confirming": False,
    }
    return ScanPosition(**(values | changes))  # type: ignore[arg-type]


def stored(*keys: int, unsure: tuple[int, ...] = ()) -> dict[int, StoredConnection]:
    """Followers by key; a higher key follows later and so stands higher."""
    return {key: StoredConnection(f"p{key}", BASE + key * GAP, key not in unsure) for key in keys}


def rows(*keys: int) -> list[tuple[int, str]]:
    return [(key, f"p{key}") for key in keys]


def read(
    keys: tuple[int, ...],
    known: dict[int, StoredConnection],
    lost: frozenset[int] = frozenset(),
    **changes: object,
) -> PageReading:
    return read_page(
        rows(*keys), {k: known[k] for k in keys if k in known}, lost, position(**changes)
    )


def test_a_page_in_known_order_changes_nothing_and_testifies_below_its_first_person() -> None:
    """An old copy of the list lacks the newest: nobody above them says that it is an old one."""
    page = read((9, 8, 7, 6, 5), stored(5, 6, 7, 8, 9))

    assert (page.added, page.moved, page.renamed) == ([], [], [])
    assert (page.top, page.bottom) == (BASE + 9 * GAP, BASE + 5 * GAP)


def test_a_page_further_down_testifies_only_between_its_own_people() -> None:
    page = read((9, 8, 7, 6, 5), stored(5, 6, 7, 8, 9), first=False)

    assert (page.top, page.bottom) == (BASE + 9 * GAP, BASE + 5 * GAP)


def test_newcomers_above_known_people_are_gained_and_stand_highest() -> None:
    page = read((12, 11, 9, 8, 7, 6, 5), stored(5, 6, 7, 8, 9))

    assert [(added.key, added.kind, added.sure) for added in page.added] == [
        (12, AddedKind.GAINED, True),
        (11, AddedKind.GAINED, True),
    ]
    assert page.added[0].place > page.added[1].place > BASE + 9 * GAP


def test_strangers_among_known_people_were_there_before() -> None:
    page = read((9, 8, 70, 7, 6, 5), stored(5, 6, 7, 8, 9))

    assert [(added.key, added.kind) for added in page.added] == [(70, AddedKind.FOUND)]
    assert not page.added[0].sure, "one sighting in mid-list is not enough"


def test_somebody_lost_before_has_returned_wherever_they_stand() -> None:
    page = read((12, 9, 8, 70, 7, 6, 5), stored(5, 6, 7, 8, 9), lost=frozenset({12, 70}))

    assert [added.kind for added in page.added] == [AddedKind.RETURNED, AddedKind.RETURNED]


def test_a_first_list_is_no_change() -> None:
    page = read((3, 2, 1), {}, baseline=True, renumber=True)

    assert {added.kind for added in page.added} == {AddedKind.BASELINE}


def test_a_rename_is_a_rename_and_neither_a_loss_nor_a_gain() -> None:
    known = stored(5, 6, 7, 8, 9)
    page = read_page([*rows(9, 8), (7, "new"), *rows(6, 5)], known, frozenset(), position())

    assert [(one.key, one.previous, one.username) for one in page.renamed] == [(7, "p7", "new")]
    assert (page.added, page.moved, page.spoiled) == ([], [], None)


def test_a_page_with_a_repeated_row_testifies_to_nobodys_absence() -> None:
    page = read((9, 8, 8, 7, 6, 5), stored(5, 6, 7, 8, 9))

    assert page.spoiled is PageFault.REPEATS
    assert (page.top, page.seen) == (None, [9, 8, 7, 6, 5])


def test_somebody_who_left_and_came_back_to_the_top_is_placed_only_when_met_again() -> None:
    known = stored(*range(1, 15))
    page = read((3, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 2, 1), known)

    assert [(moved.key, moved.sure) for moved in page.moved] == [(3, False)]
    assert (page.spoiled, page.top) == (None, BASE + 14 * GAP), "the others still testify"

    again = read((3, 14, 13, 12, 11, 10), known | stored(3, unsure=(3,)))

    assert [(moved.key, moved.sure) for moved in again.moved] == [(3, False)]
    place = again.moved[0].place
    third = read((3, 14, 13, 12, 11, 10), known | {3: StoredConnection("p3", place, False)})

    assert [(moved.key, moved.place, moved.sure) for moved in third.moved] == [(3, place, True)]


def test_a_wholly_shuffled_page_moves_nobody() -> None:
    page = read((2, 9, 4, 7, 1, 8, 3, 6, 5), stored(*range(1, 10)))

    assert page.spoiled is PageFault.ORDER
    assert (page.moved, page.added, page.top) == ([], [], None)


def test_too_few_known_people_say_nothing_about_order() -> None:
    page = read((9, 8, 7), stored(7, 8, 9))

    assert page.spoiled is PageFault.STRANGERS


def test_places_of_an_older_numbering_are_worth_nothing() -> None:
    page = read((9, 8, 7, 6, 5), stored(5, 6, 7, 8, 9), zone=BASE + 100 * GAP)

    assert page.top is None


def test_a_page_met_before_on_the_way_down_leads_backwards() -> None:
    page = read((9, 8, 7, 6, 5), stored(5, 6, 7, 8, 9), first=False, floor=BASE + 4 * GAP)

    assert page.backwards
    assert page.top is None


@given(st.permutations(range(8)))
def test_the_longest_run_is_as_long_as_any(places: list[int]) -> None:
    run = longest_run(places)
    best = max(
        len(chosen)
        for size in range(len(places) + 1)
        for chosen in combinations(places, size)
        if list(chosen) == sorted(chosen, reverse=True)
    )

    assert [places[at] for at in run] == sorted((places[at] for at in run), reverse=True)
    assert len(run) == best


@given(
    listed=st.lists(st.integers(1, 30), max_size=25),
    held=st.sets(st.integers(1, 30)),
    unsure=st.sets(st.integers(1, 30)),
    first=st.booleans(),
)
def test_whatever_a_page_shows_everybody_on_it_is_held_once_and_nobody_else_is_touched(
    listed: list[int], held: set[int], unsure: set[int], *, first: bool
) -> None:
    known = stored(*held, unsure=tuple(unsure))
    page = read(tuple(listed), known, first=first)

    assert sorted(page.seen) == sorted(set(listed))
    assert sorted(one.key for one in page.added) == sorted(set(listed) - held)
    assert {one.key for one in page.moved} <= set(listed) & held
    assert len({one.key for one in page.moved}) == len(page.moved)


def test_a_swap_with_the_top_of_the_page_spoils_it() -> None:
    page = read((3, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 14, 2, 1), stored(*range(1, 15)))

    assert page.spoiled is PageFault.ORDER


def test_in_a_tiny_list_a_stranger_on_top_is_new_only_when_nobody_was_missing() -> None:
    assert read((9, 2, 1), stored(1, 2)).added[0].kind is AddedKind.GAINED
    assert read((9, 2, 1), stored(1, 2), growing=False).added[0].kind is AddedKind.FOUND


@given(
    count=st.integers(1, 12),
    floor=st.integers(-2, 14),
    zone=st.integers(-2, 14),
    first=st.booleans(),
    renumber=st.booleans(),
)
def test_a_page_that_shows_what_is_stored_reads_the_same_however_it_is_told(
    count: int, floor: int, zone: int, first: bool, renumber: bool
) -> None:
    keys = tuple(range(count, 0, -1))
    known = stored(*keys)
    shown = UnchangedPage(
        list(keys), [f"p{key}" for key in keys], [known[key].place for key in keys]
    )
    here = position(
        floor=BASE + floor * GAP,
        zone=BASE + zone * GAP,
        first=first,
        renumber=renumber,
        at_top=first,
    )

    assert shown == known
    assert read_page(rows(*keys), shown, frozenset(), here) == read_page(
        rows(*keys), known, frozenset(), here
    )
