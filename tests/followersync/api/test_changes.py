"""The change feed over the API: from any list, by position, to the present one."""

from __future__ import annotations

import uuid

import pytest

from followersync.domain.values import AddedKind
from followersync.models import SyncSettings
from tests.support.api import API, counting_queries, problem, program
from tests.support.sync import held, write

pytestmark = pytest.mark.django_db


def at(account) -> str:
    return f"{API}/accounts/{account.pk}/changes/"


@pytest.fixture
def changed(followed):
    """A baseline of two, then a gain, a rename and a loss."""
    write(followed, people=[(1, "anna"), (2, "ben")])
    write(followed, people=[(3, "cem")], kind=AddedKind.GAINED)
    write(followed, renamed=[(2, "ben", "benno")])
    write(followed, lost=[1])
    return followed


def test_the_feed_is_in_order_and_each_change_is_there_once(alices_program, changed):
    body = alices_program.get(at(changed)).json()

    rows = body["results"]
    assert [(row["position"], row["kind"], row["follower"]["id"]) for row in rows] == [
        (1, "gained", "3"), (2, "renamed", "2"), (3, "lost", "1"),
    ]  # fmt: skip
    assert (rows[1]["follower"]["username"], rows[1]["previous_username"]) == ("benno", "ben")
    assert (body["position"], body["head"], body["next"]) == (3, 3, None)


def test_pages_follow_each_other_without_a_gap(alices_program, changed):
    seen, address = [], f"{at(changed)}?limit=1"
    while address:
        page = alices_program.get(address).json()
        seen += [row["position"] for row in page["results"]]
        address = page["next"]

    assert seen == [1, 2, 3]


def test_a_program_that_waits_asks_again_from_its_position(alices_program, changed):
    position = alices_program.get(at(changed)).json()["position"]
    assert alices_program.get(at(changed), {"after": position}).json()["results"] == []
    write(changed, people=[(4, "dora")], kind=AddedKind.GAINED)

    rows = alices_program.get(at(changed), {"after": position}).json()["results"]

    assert [row["follower"]["username"] for row in rows] == ["dora"]


def test_the_feed_replayed_over_a_list_gives_the_present_list(alices_program, followed):
    write(followed, people=[(1, "anna"), (2, "ben")])
    page = alices_program.get(f"{API}/accounts/{followed.pk}/followers/").json()
    copy = {row["id"]: row["username"] for row in page["results"]}
    write(followed, people=[(3, "cem")], kind=AddedKind.GAINED)
    write(followed, lost=[1], renamed=[(2, "ben", "benno")])

    feed = alices_program.get(at(followed), {"after": page["position"], "epoch": page["epoch"]})
    for change in feed.json()["results"]:
        if change["kind"] == "lost":
            copy.pop(change["follower"]["id"])
        else:
            copy[change["follower"]["id"]] = change["follower"]["username"]

    assert {(int(key), name) for key, name in copy.items()} == held(followed)


def test_one_kind_alone(alices_program, changed):
    body = alices_program.get(at(changed), {"kind": "lost"}).json()

    assert [row["kind"] for row in body["results"]] == ["lost"]
    assert body["position"] == 3


def test_a_position_of_the_future_is_gone(alices_program, changed):
    problem(alices_program.get(at(changed), {"after": 4}), 410, "feed_gone")


def test_a_position_of_another_epoch_is_gone(alices_program, changed):
    problem(alices_program.get(at(changed), {"after": 1, "epoch": uuid.uuid4()}), 410, "feed_gone")


def test_a_position_past_retention_is_gone_and_the_feed_begins_later(alices_program, changed):
    SyncSettings.objects.filter(pk=changed.pk).update(first_position=3)

    problem(alices_program.get(at(changed), {"after": 1}), 410, "feed_gone")
    rows = alices_program.get(at(changed)).json()["results"]
    assert [row["position"] for row in rows] == [3]


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "vanished"},
        {"after": -1},
        {"after": "x"},
        {"after": 2**63},
        {"limit": 0},
        {"of": 1},
    ],
)
def test_a_query_that_would_mislead_is_refused(alices_program, changed, query):
    problem(alices_program.get(at(changed), query), 422, "invalid")


def test_a_long_feed_costs_no_more_queries(alices_program, changed):
    with counting_queries() as few:
        alices_program.get(at(changed), {"limit": 1})
    write(changed, people=[(100 + n, f"p{n}") for n in range(50)], kind=AddedKind.GAINED)

    with counting_queries() as many:
        assert len(alices_program.get(at(changed)).json()["results"]) == 53

    assert len(many) == len(few)


def test_nobody_else_reads_it(bobs_program, anonymous, alice, changed):
    problem(bobs_program.get(at(changed)), 404, "not_found")
    problem(anonymous.get(at(changed)), 401, "not_authenticated")
    problem(program(alice, "accounts:read").get(at(changed)), 403, "scope_missing")
