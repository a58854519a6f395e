"""The list, now and then, over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import LinkedAccount
from accounts.scopes import Scope
from followersync.models import Absence, Follower
from followersync.services.sync.settings import settings_of
from tests.support.api import API, counting_queries, problem, program
from tests.support.factories import LinkedAccountFactory, consent
from tests.support.sync import write

pytestmark = pytest.mark.django_db

PEOPLE = [(17841400000000900 + n, name) for n, name in enumerate(["anna", "ben", "cem", "cora"])]


def at(account: LinkedAccount, follower: str = "") -> str:
    return f"{API}/accounts/{account.pk}/followers/" + (f"{follower}/" if follower else "")


@pytest.fixture
def listed(followed, clock):
    settings = settings_of(followed)
    settings.baseline_at = settings.last_synced_at = clock()
    settings.complete = True
    settings.save()
    write(followed, people=PEOPLE)
    clock.advance(hours=1)
    return followed


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["username"] for row in answer.json()["results"]]


def test_the_list_is_newest_first_and_pins_the_feed(alices_program, listed):
    body = alices_program.get(at(listed)).json()

    assert body.keys() == {"next", "previous", "results", "position", "epoch", "complete"}
    assert [row["username"] for row in body["results"]] == ["anna", "ben", "cem", "cora"]
    assert body["results"][0] == {
        "id": str(PEOPLE[0][0]),
        "instagram_id": str(PEOPLE[0][0]),
        "username": "anna",
        "since": None,
        "source": "edge",
        "unconfirmed_since": None,
        "beyond": False,
    }
    assert (body["complete"], body["position"]) == (True, settings_of(listed).head)


@pytest.mark.parametrize("beyond", [True, False])
def test_who_is_not_in_instagrams_list_is_still_shown_openly(alices_program, listed, clock, beyond):
    since = clock()
    Absence.objects.create(
        account_id=listed.pk,
        key=PEOPLE[1][0],
        unconfirmed_since=since,
        last_at=since,
        beyond=beyond,
    )

    row = alices_program.get(at(listed)).json()["results"][1]

    assert row["unconfirmed_since"] == since.isoformat().replace("+00:00", "Z")
    assert row["beyond"] is beyond
    one = alices_program.get(f"{at(listed)}{row['id']}/").json()
    assert one["current"]["beyond"] is beyond


def test_a_person_known_by_name_alone_has_an_id_of_ours(alices_program, listed):
    Follower.objects.filter(account_id=listed.pk, key=PEOPLE[0][0]).update(key=-7)

    row = alices_program.get(at(listed)).json()["results"][0]

    assert (row["id"], row["instagram_id"]) == ("u_7", None)


def test_pages_join_without_gap_or_repeat_both_ways(alices_program, listed):
    first = alices_program.get(at(listed), {"limit": 3}).json()
    second = alices_program.get(first["next"]).json()

    assert [row["username"] for row in first["results"] + second["results"]] == [
        name for _key, name in PEOPLE
    ]
    assert second["next"] is None
    assert second["position"] == first["position"]
    assert alices_program.get(second["previous"]).json()["results"] == first["results"]


def test_a_search_is_for_the_beginning_of_a_name(alices_program, listed):
    assert names(alices_program.get(at(listed), {"q": "C"})) == ["cem", "cora"]
    assert names(alices_program.get(at(listed), {"q": "@ce"})) == ["cem"]
    assert names(alices_program.get(at(listed), {"q": "%"})) == []


def test_nobody_knows_the_list_before_the_first_one(alices_program, listed, clock):
    long_ago = (clock() - timedelta(days=30)).isoformat()

    body = alices_program.get(at(listed), {"at": long_ago}).json()

    assert (body["results"], body["complete"]) == ([], False)


def test_the_list_of_the_past(alices_program, listed, clock):
    before = clock().isoformat()
    clock.advance(hours=1)
    write(listed, lost=[PEOPLE[0][0]], renamed=[(PEOPLE[1][0], "ben", "benno")])
    clock.advance(hours=1)

    assert sorted(names(alices_program.get(at(listed), {"at": before}))) == [
        name for _key, name in PEOPLE
    ]
    assert sorted(names(alices_program.get(at(listed)))) == ["benno", "cem", "cora"]


@pytest.mark.parametrize(
    "query",
    [
        {"at": "yesterday"},
        {"at": "2026-13-01"},
        {"limit": 0},
        {"limit": 1001},
        {"members": "some"},
        {"colour": "red"},
        {"q": "x" * 65},
        {"q": "\x00"},
    ],
)
def test_a_query_that_would_mislead_is_refused(alices_program, listed, query):
    problem(alices_program.get(at(listed), query), 422, "invalid")


def test_a_moment_to_come_has_no_list(alices_program, listed, clock):
    later = (clock() + timedelta(minutes=1)).isoformat()

    body = problem(alices_program.get(at(listed), {"at": later}), 422, "invalid")

    assert body["errors"][0]["code"] == "in_the_future"


@pytest.mark.parametrize("cursor", ["x", "bm9uc2Vuc2U", "W10", "WyJhIiwiMSIsMCwwXQ", "é"])
def test_a_cursor_that_is_not_ours(alices_program, listed, cursor):
    problem(alices_program.get(at(listed), {"cursor": cursor}), 422, "invalid_cursor")


def test_a_cursor_of_a_search_does_not_fit_the_plain_list(alices_program, listed):
    first = alices_program.get(at(listed), {"q": "c", "limit": 1}).json()
    cursor = first["next"].split("cursor=")[1].split("&")[0]

    assert alices_program.get(at(listed), {"cursor": cursor}).status_code == 422


def test_a_page_costs_the_same_queries_whatever_is_on_it(alices_program, listed):
    with counting_queries() as small:
        alices_program.get(at(listed), {"limit": 1})
    write(listed, people=[(10_000 + n, f"more{n}") for n in range(200)])

    with counting_queries() as large:
        assert len(names(alices_program.get(at(listed), {"limit": 200}))) == 200

    assert len(large) == len(small)


def test_one_persons_history(alices_program, listed, clock):
    clock.advance(hours=1)
    write(listed, lost=[PEOPLE[0][0]])

    body = alices_program.get(at(listed, str(PEOPLE[0][0]))).json()

    assert (body["username"], body["current"]) == ("anna", None)
    assert len(body["intervals"]) == 1
    assert body["intervals"][0]["valid_to"] is not None


@pytest.mark.parametrize("person", ["1", "u_5", "x", "9" * 40, "u_", "-3"])
def test_a_person_who_never_followed(alices_program, listed, person):
    assert alices_program.get(at(listed, person)).status_code == 404


def test_members_are_shown_where_both_agreed(alices_program, bob, listed):
    bobs = LinkedAccountFactory(owner=bob, instagram_id=str(PEOPLE[2][0]), username="cem")
    wish = {"members": "true"}
    assert names(alices_program.get(at(listed), wish)) == []
    consent(listed, Scope.DISCOVERABLE)
    assert names(alices_program.get(at(listed), wish)) == []

    consent(bobs, Scope.DISCOVERABLE)

    assert names(alices_program.get(at(listed), wish)) == ["cem"]


def test_members_are_never_recognised_by_name(alices_program, bob, listed):
    bobs = LinkedAccountFactory(owner=bob, username="cem")
    consent(listed, Scope.DISCOVERABLE)
    consent(bobs, Scope.DISCOVERABLE)

    assert names(alices_program.get(at(listed), {"members": "true"})) == []


def test_members_of_the_past_are_not_told(alices_program, listed, clock):
    query = {"members": "true", "at": clock().isoformat()}

    problem(alices_program.get(at(listed), query), 422, "not_combinable")


@pytest.mark.parametrize("person", ["", "17841400000000900"])
def test_nobody_else_reads_it(bobs_program, anonymous, alice, listed, person):
    problem(bobs_program.get(at(listed, person)), 404, "not_found")
    problem(anonymous.get(at(listed, person)), 401, "not_authenticated")
    problem(program(alice, "accounts:read").get(at(listed, person)), 403, "scope_missing")
