from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.errors import InvalidInput, NotFound
from accounts.models import LinkedAccount, User
from followersync import selectors
from followersync.domain.values import AddedKind
from followersync.errors import FeedGone
from followersync.models import SyncSettings
from followersync.selectors.answers import FollowerPage
from tests.support.clock import Clock
from tests.support.sync import assert_books_agree, linked, replay, write

PEOPLE = [(100 - index, f"person{index:02}") for index in range(60)]


@pytest.fixture
def listed(followed: LinkedAccount, clock: Clock) -> LinkedAccount:
    write(followed, people=PEOPLE)
    SyncSettings.objects.filter(pk=followed.pk).update(baseline_at=clock(), complete=True)
    return followed


def names(page: FollowerPage) -> list[str]:
    return [row.username for row in page.rows]


def test_pages_run_from_the_newest_to_the_oldest_and_back_with_nobody_twice(
    listed: LinkedAccount,
) -> None:
    first = selectors.followers_page(listed, limit=25)
    second = selectors.followers_page(listed, limit=25, cursor=first.next)
    third = selectors.followers_page(listed, limit=25, cursor=second.next)
    back = selectors.followers_page(listed, limit=25, cursor=second.previous)

    assert names(first) + names(second) + names(third) == [name for _, name in PEOPLE]
    assert (first.previous, third.next) == (None, None)
    assert names(back) == names(first)
    assert back.previous is None


def test_a_search_finds_a_prefix_as_it_is_written(listed: LinkedAccount) -> None:
    write(listed, people=[(500, "per_cent"), (501, "per%cent"), (502, "Person99")])

    assert names(selectors.followers_page(listed, q="@PERSON0", limit=3)) == [
        "person00",
        "person01",
        "person02",
    ]
    assert names(selectors.followers_page(listed, q="per_")) == ["per_cent"]
    assert names(selectors.followers_page(listed, q="per%")) == ["per%cent"]


def test_a_search_pages_too(listed: LinkedAccount) -> None:
    first = selectors.followers_page(listed, q="person", limit=40)
    second = selectors.followers_page(listed, q="person", limit=40, cursor=first.next)

    assert names(first) + names(second) == sorted(name for _, name in PEOPLE)


@pytest.mark.parametrize("cursor", ["x", "W10", "eyJhIjoxfQ", "ÄÖ", "WzEsIjkiLDAsInoiXQ"])
def test_a_foreign_cursor_is_refused_by_name(listed: LinkedAccount, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        selectors.followers_page(listed, cursor=cursor)

    assert refused.value.field == "cursor"


def test_a_cursor_of_a_search_does_not_page_the_whole_list(listed: LinkedAccount) -> None:
    search = selectors.followers_page(listed, q="person", limit=5)

    with pytest.raises(InvalidInput):
        selectors.followers_page(listed, cursor=search.next)


def test_a_past_list_shows_who_followed_then_under_the_names_of_then(
    listed: LinkedAccount, clock: Clock
) -> None:
    then = clock.advance(days=1)
    clock.advance(days=1)
    write(listed, people=[(700, "newcomer")], kind=AddedKind.GAINED)
    write(listed, renamed=[(100, "person00", "renamed")], lost=[99])
    clock.advance(days=1)
    write(listed, renamed=[(100, "renamed", "renamed.again")])

    past = selectors.followers_page(listed, at=then, limit=100)
    between = selectors.followers_page(listed, at=then + timedelta(days=1), limit=100)

    assert set(names(past)) == {name for _, name in PEOPLE}
    assert {"renamed", "newcomer"} <= set(names(between))
    assert not {"person01", "renamed.again"} & set(names(between))


def test_a_past_list_pages_without_gap(listed: LinkedAccount, clock: Clock) -> None:
    then = clock.advance(days=1)
    clock.advance(days=1)
    write(listed, lost=[key for key, _ in PEOPLE[::2]])

    found, cursor = [], None
    while True:
        page = selectors.followers_page(listed, at=then, limit=7, cursor=cursor)
        found += names(page)
        cursor = page.next
        if cursor is None:
            break

    assert sorted(found) == sorted(name for _, name in PEOPLE)


def test_a_past_list_begins_with_who_came_last_and_can_be_paged_back(
    listed: LinkedAccount, clock: Clock
) -> None:
    for number in range(10):
        clock.advance(hours=1)
        write(listed, people=[(700 + number, f"newcomer{number}")], kind=AddedKind.GAINED)
    then = clock.advance(hours=1)
    clock.advance(days=1)
    write(listed, lost=[705, 99])

    pages = [selectors.followers_page(listed, at=then, limit=6)]
    while pages[-1].next:
        pages.append(selectors.followers_page(listed, at=then, limit=6, cursor=pages[-1].next))
    back = [pages[-1]]
    while back[-1].previous:
        back.append(selectors.followers_page(listed, at=then, limit=6, cursor=back[-1].previous))

    forward = [name for page in pages for name in names(page)]
    assert forward[:10] == [f"newcomer{number}" for number in reversed(range(10))]
    assert sorted(forward[10:]) == sorted(name for _, name in PEOPLE)
    assert [names(page) for page in reversed(back)] == [names(page) for page in pages]


def test_a_name_that_was_taken_after_coming_back_is_not_the_name_of_then(
    listed: LinkedAccount, clock: Clock
) -> None:
    then = clock.advance(days=1)
    clock.advance(days=1)
    write(listed, lost=[100])
    clock.advance(days=1)
    write(listed, people=[(100, "came.back.as")], kind=AddedKind.RETURNED)
    write(listed, renamed=[(100, "came.back.as", "and.then")])

    assert "person00" in names(selectors.followers_page(listed, at=then, limit=100))


def test_before_the_first_list_only_stated_dates_speak(listed: LinkedAccount, clock: Clock) -> None:
    assert names(selectors.followers_page(listed, at=clock() - timedelta(days=1))) == []


def test_one_persons_history_tells_leaving_and_coming_back(
    listed: LinkedAccount, clock: Clock
) -> None:
    clock.advance(days=1)
    write(listed, lost=[100])
    clock.advance(days=1)
    write(listed, people=[(100, "person00")], kind=AddedKind.RETURNED)

    history = selectors.follower_history(listed, "100")

    assert [change.kind for change in history.changes] == ["lost", "returned"]
    assert [interval.valid_to is None for interval in history.intervals] == [False, True]
    assert history.current is not None
    assert history.current.since == clock()


@pytest.mark.parametrize("public_id", ["12345", "", "u_", "abc", "9" * 30, "100'--"])
def test_nobody_is_found_under_an_id_that_is_no_followers(
    listed: LinkedAccount, public_id: str
) -> None:
    with pytest.raises(NotFound):
        selectors.follower_history(listed, public_id)


def test_one_account_shows_nothing_of_another(listed: LinkedAccount, bob: User) -> None:
    bobs = linked(bob)
    write(bobs, people=[(100, "person00")])

    assert names(selectors.followers_page(bobs)) == ["person00"]
    assert len(selectors.followers_page(listed, limit=100).rows) == len(PEOPLE)


def test_a_copy_of_the_list_brought_up_by_the_feed_equals_the_list_and_its_digest(
    listed: LinkedAccount, clock: Clock
) -> None:
    pinned = selectors.followers_page(listed, limit=100)
    copy = {row.public_id: row.username for row in pinned.rows}
    clock.advance(hours=1)
    write(listed, people=[(700, "newcomer"), (701, "other")], kind=AddedKind.GAINED)
    write(listed, lost=[99, 98], renamed=[(100, "person00", "renamed")])
    write(listed, people=[(99, "back.again")], kind=AddedKind.RETURNED)

    replayed = replay(listed, copy, pinned.position)

    now = selectors.followers_page(listed, limit=100)
    assert replayed == {row.public_id: row.username for row in now.rows}
    assert selectors.digest(listed).count == len(replayed)
    assert_books_agree(listed)


def test_the_feed_answers_gone_for_another_epoch_and_for_places_it_never_had(
    listed: LinkedAccount,
) -> None:
    write(listed, lost=[99])
    page = selectors.changes_page(listed, after=0)
    assert page.next_after == page.head == 1

    for wrong in ({"after": 2}, {"after": -5}, {"after": 0, "epoch": "another"}):
        with pytest.raises(FeedGone):
            selectors.changes_page(listed, **wrong)


def test_a_filtered_feed_moves_on_past_what_it_leaves_out(listed: LinkedAccount) -> None:
    write(listed, lost=[99, 98])

    page = selectors.changes_page(listed, after=0, kind="gained")

    assert (page.rows, page.next_after) == ([], 2)


def test_growth_has_one_point_a_day_with_the_days_changes(
    listed: LinkedAccount, clock: Clock
) -> None:
    from followersync.models import FollowerSnapshot

    day = clock().replace(hour=1)
    for hour, gained in ((0, 2), (6, 3), (30, 1)):
        FollowerSnapshot.objects.create(
            account=listed,
            at=day + timedelta(hours=hour),
            mode="head",
            position=0,
            followers=60 + hour,
            gained=gained,
        )

    points = selectors.growth(listed, date_from=day.date(), date_to=day.date() + timedelta(days=1))

    assert [(point.followers, point.gained) for point in points] == [(66, 5), (90, 1)]


def test_a_day_before_the_first_look_is_of_todays_followers_only(listed, clock):
    before = selectors.followers_page(listed, at=clock() - timedelta(days=400))
    since = selectors.followers_page(listed, at=clock())

    assert (before.of_today, before.complete) == (True, False)
    assert (since.of_today, since.complete) == (False, True)
