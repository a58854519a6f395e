"""What lists were reported to do to their readers, each as it is defined: the engine's tests of
false losses are worth what these are."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from accounts import errors
from accounts.instagram.gateway import Gateway
from accounts.instagram.sandbox.fault_kinds import DEFAULTS, NAMES, from_words
from accounts.instagram.sandbox.messages import BadRequest
from accounts.instagram.sandbox.mixing import Shuffle
from tests.support.sandbox import Refused, Sandbox

HOUR = 3600.0


def scan(gateway: Gateway, token: str, account_id: str, limit: int = 50) -> list[str]:
    """The ids of all pages, in the order in which they came."""
    return [row for page in pages(gateway, token, account_id, limit) for row in page]


def pages(gateway: Gateway, token: str, account_id: str, limit: int = 50) -> list[list[str]]:
    found: list[list[str]] = []
    after: str | None = None
    while True:
        page = gateway.followers(token, account_id, "followers", limit, after)
        found.append([str(key) for key, _username in page.rows])
        after = page.after
        if after is None:
            return found
        assert len(found) < 200, "the list has no end"


def true_ids(sandbox: Sandbox, account_id: str) -> list[str]:
    return [each["id"] for each in sandbox.true_list(account_id)]


@pytest.fixture
def bob(sandbox: Sandbox, link: Any) -> tuple[str, str]:
    """(id, token) of a persona with 300 followers."""
    found: tuple[str, str] = link("bob")
    return found


def test_a_cap_shows_the_newest_and_newcomers_push_the_oldest_past_it(sandbox, gateway, bob):
    account_id, token = bob
    sandbox.faults(account_id, cap_rows=250)
    before = scan(gateway, token, account_id)
    true = true_ids(sandbox, account_id)

    sandbox.change(account_id, follow=3)

    assert before == true[:250]
    assert scan(gateway, token, account_id) == true_ids(sandbox, account_id)[:250]
    assert len(true_ids(sandbox, account_id)) == 303
    assert gateway.follower_count(token).followers >= 303


def test_a_cap_above_the_list_hides_nobody(sandbox, gateway, bob):
    account_id, token = bob
    sandbox.faults(account_id, cap_rows=300)

    assert scan(gateway, token, account_id) == true_ids(sandbox, account_id)


def test_rows_are_left_out_anew_at_each_load(sandbox, gateway, bob):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.faults(account_id, omit_rows=0.1)

    missing = [set(true) - set(scan(gateway, token, account_id)) for _load in range(20)]

    assert 20 * 300 * 0.05 < sum(map(len, missing)) < 20 * 300 * 0.15
    assert not set.intersection(*missing)
    assert len(set.union(*missing)) > 150


def test_a_block_of_neighbours_is_missing_for_its_hours_and_then_back(sandbox, gateway, bob):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.faults(account_id, omit_block={"rows": 40, "hours": 24})

    first = scan(gateway, token, account_id)
    sandbox.advance(23 * HOUR)
    later = scan(gateway, token, account_id)
    sandbox.advance(2 * HOUR)

    places = [place for place, key in enumerate(true) if key not in first]
    assert places == list(range(places[0], places[0] + 40))
    assert first == later == [key for key in true if key in first]
    assert scan(gateway, token, account_id) == true


def test_a_block_set_anew_is_another_one(sandbox, gateway, bob):
    account_id, token = bob
    holes = []
    for _time in range(4):
        sandbox.faults(account_id, omit_block={"rows": 20, "hours": 24})
        holes.append(
            tuple(set(true_ids(sandbox, account_id)) - set(scan(gateway, token, account_id)))
        )

    assert len(set(map(frozenset, holes))) > 1


def test_the_same_people_are_missing_for_hours_wherever_they_stand(sandbox, gateway, bob):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.faults(account_id, omit_same={"share": 0.1, "hours": 24})

    loads = [scan(gateway, token, account_id) for _load in range(5)]
    sandbox.advance(25 * HOUR)

    assert all(load == loads[0] for load in loads)
    assert 10 <= 300 - len(loads[0]) <= 60
    places = [place for place, key in enumerate(true) if key not in loads[0]]
    assert places != list(range(places[0], places[-1] + 1))
    assert scan(gateway, token, account_id) == true


def test_a_stale_page_shows_the_list_as_it_was_names_and_all(sandbox, gateway, bob):
    account_id, token = bob
    old = sandbox.true_list(account_id)
    sandbox.advance(10 * HOUR)
    sandbox.change(account_id, follow=4, leave=5, rename=6, deactivate=7)
    sandbox.change(account_id, return_=2)
    sandbox.advance(1 * HOUR)

    sandbox.faults(account_id, stale={"share": 1, "hours": 6})
    behind = gateway.followers(token, account_id, "followers", 1000, None)
    sandbox.advance(6 * HOUR)
    caught_up = gateway.followers(token, account_id, "followers", 1000, None)

    assert [(str(key), name) for key, name in behind.rows] == [
        (each["id"], each["username"]) for each in old
    ]
    assert [str(key) for key, _name in caught_up.rows] == true_ids(sandbox, account_id)


def test_only_a_share_of_the_pages_is_stale(sandbox, gateway, bob):
    account_id, token = bob
    sandbox.advance(10 * HOUR)
    (gone,) = sandbox.change(account_id, leave=1)["left"]
    sandbox.faults(account_id, stale={"share": 0.5, "hours": 6})

    seen = [gone in scan(gateway, token, account_id, 1000) for _load in range(40)]

    assert 8 <= sum(seen) <= 32


def test_a_reversed_list_begins_with_the_oldest(sandbox, gateway, bob):
    account_id, token = bob
    sandbox.faults(account_id, order="reversed")
    sandbox.change(account_id, follow=2, leave=2)

    assert scan(gateway, token, account_id) == true_ids(sandbox, account_id)[::-1]


def test_a_fixed_random_order_stays_and_newcomers_stand_anywhere_in_it(sandbox, gateway, bob):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.faults(account_id, order="fixed_random")

    first, second = (scan(gateway, token, account_id) for _load in range(2))
    new = sandbox.change(account_id, follow=20)["followed"]
    third = scan(gateway, token, account_id)

    assert first == second
    assert sorted(first) == sorted(true)
    assert first != true
    assert [key for key in third if key not in new] == first
    assert third[:20] != new[::-1]
    assert sorted(third) == sorted(true + new)


def test_relevance_puts_some_people_on_top_and_others_the_next_day(sandbox, gateway, bob):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.faults(account_id, order="relevance")

    today = scan(gateway, token, account_id)
    sandbox.advance(24 * HOUR)
    tomorrow = scan(gateway, token, account_id)

    favoured = next(n for n in range(300) if today[n:] == [k for k in true if k in today[n:]])
    assert 10 < favoured < 80
    assert sorted(today) == sorted(tomorrow) == sorted(true)
    assert today[:favoured] != tomorrow[:favoured]


def test_a_random_order_is_another_at_each_scan_and_whole_within_one(sandbox, gateway, bob):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.change(account_id, deactivate=10)
    shown = true_ids(sandbox, account_id)
    sandbox.faults(account_id, order="random_each_time")

    scans = [scan(gateway, token, account_id) for _load in range(4)]

    assert all(sorted(each) == sorted(shown) for each in scans)
    assert len({tuple(each) for each in scans}) == 4
    assert true != shown


def test_a_cursor_of_another_order_is_refused(sandbox, gateway, bob):
    account_id, token = bob
    first = gateway.followers(token, account_id, "followers", 50, None)
    sandbox.faults(account_id, order="reversed")

    with pytest.raises(errors.ParameterRefused):
        gateway.followers(token, account_id, "followers", 50, first.after)


def test_a_frozen_count_moves_once_in_its_hours(sandbox, gateway, bob):
    account_id, token = bob
    before = gateway.follower_count(token).followers
    sandbox.faults(account_id, count_frozen_hours=12)
    gateway.follower_count(token)
    sandbox.change(account_id, follow=5)

    frozen = gateway.follower_count(token).followers
    sandbox.advance(13 * HOUR)

    assert frozen == before
    assert gateway.follower_count(token).followers == before + 5


def test_a_rounded_count_tells_no_single_person(sandbox, gateway, link):
    sandbox.persona("round.one", followers=12_345, offset=0)
    account_id, token = link("round.one")
    sandbox.faults(account_id, count_rounded=True)

    counts = [gateway.follower_count(token).followers for _call in range(2)]
    sandbox.change(account_id, follow=1)

    assert {*counts, gateway.follower_count(token).followers} == {12_300}
    sandbox.faults(account_id, count_rounded=1000)
    assert gateway.follower_count(token).followers == 12_000


def test_the_count_can_leave_out_the_deactivated(sandbox, gateway, bob):
    account_id, token = bob
    with_them = gateway.follower_count(token).followers
    sandbox.change(account_id, deactivate=7)
    sandbox.faults(account_id, count_with_deactivated=False)

    without = gateway.follower_count(token).followers
    sandbox.faults(account_id)

    assert without == with_them - 7
    assert gateway.follower_count(token).followers == with_them


def test_overlapping_pages_repeat_the_end_of_the_page_before_and_hide_nobody(sandbox, gateway, bob):
    account_id, token = bob
    sandbox.faults(account_id, overlapping_pages=True)

    found = pages(gateway, token, account_id)

    assert all(set(above) & set(below) for above, below in pairwise(found))
    assert list(dict.fromkeys(key for page in found for key in page)) == true_ids(
        sandbox, account_id
    )


def test_a_page_holds_no_more_than_the_most_whatever_is_asked_for(sandbox, gateway, bob):
    account_id, token = bob
    sandbox.faults(account_id, max_page_rows=12)

    found = pages(gateway, token, account_id, 1000)

    assert {len(page) for page in found[:-1]} == {12}
    assert [key for page in found for key in page] == true_ids(sandbox, account_id)


def test_a_refused_cursor_is_a_refused_parameter_and_the_first_page_is_not(sandbox, gateway, bob):
    account_id, token = bob
    sandbox.faults(account_id, cursor_refused=True)

    first = gateway.followers(token, account_id, "followers", 50, None)

    assert len(first.rows) == 50
    with pytest.raises(errors.ParameterRefused):
        gateway.followers(token, account_id, "followers", 50, first.after)


def test_a_cursor_that_skips_leads_past_one_whole_page(sandbox, gateway, bob):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.faults(account_id, cursor_skips=True)

    found = pages(gateway, token, account_id)

    assert found == [true[0:50], true[100:150], true[200:250]]


def test_a_cursor_that_repeats_gives_each_page_twice_and_the_list_still_ends(sandbox, gateway, bob):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.faults(account_id, cursor_repeats=True)

    found = pages(gateway, token, account_id, 100)

    assert found == [page for start in (0, 100, 200) for page in [true[start : start + 100]] * 2]


def test_an_accounts_faults_stand_over_the_sites_name_by_name(sandbox, gateway, link):
    bob, bobs = link("bob")
    cleo, cleos = link("cleo")
    sandbox.faults(cap_rows=20, order="reversed")
    sandbox.faults(bob, cap_rows=100)
    assert len(scan(gateway, bobs, bob)) == 100
    assert scan(gateway, bobs, bob) == true_ids(sandbox, bob)[:100][::-1]
    assert len(scan(gateway, cleos, cleo)) == 20

    sandbox.faults(bob, cap_rows=False, order=False)
    exempt = scan(gateway, bobs, bob)
    sandbox.faults(bob)

    assert exempt == true_ids(sandbox, bob)
    assert len(scan(gateway, bobs, bob)) == 20
    assert sandbox.call("GET", f"accounts/{bob}/faults/") == {}


@pytest.mark.parametrize("kind", ["relevance", "fixed_random", "reversed", "random_each_time"])
def test_what_hides_people_hides_them_in_every_order(sandbox, gateway, bob, kind):
    account_id, token = bob
    true = true_ids(sandbox, account_id)
    sandbox.advance(10 * HOUR)
    left = sandbox.change(account_id, leave=3)["left"]
    hide = {"cap_rows": 200, "omit_block": {"rows": 30, "hours": 9}}
    sandbox.faults(account_id, **hide)
    shown = set(scan(gateway, token, account_id, 1000))

    sandbox.faults(account_id, order=kind, **hide, stale={"share": 1, "hours": 5})
    found = scan(gateway, token, account_id)

    assert set(found) <= set(true[:203])
    assert len(found) == len(set(found))
    assert 160 <= len(found) <= 203 - 30 + 3
    assert shown & set(found)
    assert set(left) & set(true[:200]) & set(found) or not set(left) & set(true[:200])


def test_the_true_list_is_what_a_perfect_lister_would_show_whatever_is_set(sandbox, bob):
    account_id, _token = bob
    true = sandbox.true_list(account_id)
    (away,) = sandbox.change(account_id, deactivate=1)["deactivated"]
    sandbox.faults(
        cap_rows=10,
        omit_rows=0.9,
        order="reversed",
        stale={"share": 1, "hours": 24},
        omit_same={"share": 0.9, "hours": 24},
        omit_block={"rows": 100, "hours": 24},
    )

    assert sandbox.true_list(account_id) == [each for each in true if each["id"] != away]


def test_a_purge_and_a_giveaway_are_one_change_each(sandbox, gateway, bob):
    account_id, token = bob
    done = sandbox.change(account_id, leave=90)
    won = sandbox.change(account_id, follow=500)

    assert len(done["left"]) == 90
    assert len(won["followed"]) == 500
    assert scan(gateway, token, account_id, 1000) == true_ids(sandbox, account_id)


def test_the_same_seed_meets_the_same_faults_whatever_others_ask(sandbox, gateway, link):
    found = []
    for others in (0, 3):
        sandbox.call("POST", "reset/", {"seed": 7})
        account_id, token = link("bob")
        ada, adas = link("ada")
        sandbox.faults(omit_rows=0.2, omit_same={"share": 0.1, "hours": 24}, order="fixed_random")
        for _call in range(others):
            gateway.followers(adas, ada, "followers", 100, None)
        found.append(scan(gateway, token, account_id))

    assert found[0] == found[1]


@pytest.mark.parametrize(
    "value",
    [
        {"cap_rows": 0},
        {"cap_rows": 2.5},
        {"cap_rows": True},
        {"cap_rows": "250"},
        {"cap_rows": 10**9},
        {"omit_rows": 1.1},
        {"omit_rows": True},
        {"omit_rows": None},
        {"omit_block": 5},
        {"omit_block": {"rows": 5}},
        {"omit_block": {"rows": 0, "hours": 5}},
        {"omit_block": {"rows": 5, "hours": 0}},
        {"omit_block": {"rows": 5, "hours": 5, "where": 1}},
        {"omit_same": {"share": 2, "hours": 5}},
        {"omit_same": {"share": "x", "hours": 5}},
        {"stale": {"share": 0.5, "hours": -1}},
        {"stale": [0.5, 5]},
        {"order": "newest"},
        {"order": 1},
        {"order": True},
        {"count_frozen_hours": -1},
        {"count_frozen_hours": True},
        {"count_rounded": 2.5},
        {"count_rounded": -100},
        {"count_with_deactivated": 0.5},
        {"overlapping_pages": "yes"},
        {"max_page_rows": 0},
        {"max_page_rows": 1001},
        {"cursor_skips": -0.1},
        {"cursor_forgets": 1},
        {"cap_rows": 5, "rain": 1},
    ],
)
@pytest.mark.parametrize("whose", ["faults/", "accounts/{bob}/faults/"])
def test_a_value_that_means_nothing_is_refused_and_changes_nothing(sandbox, whose, value):
    route = whose.replace("{bob}", sandbox.id_of("bob"))
    sandbox.call("PUT", route, {"cap_rows": 7})

    with pytest.raises(Refused) as refused:
        sandbox.call("PUT", route, value)

    assert refused.value.status == 400
    assert refused.value.body["detail"]
    assert sandbox.call("GET", route) == {"cap_rows": 7}


def test_faults_of_nobody_are_refused(sandbox):
    for method in ("GET", "PUT", "DELETE"):
        with pytest.raises(Refused) as refused:
            sandbox.call(method, "accounts/1/faults/", {})
        assert refused.value.status == 404


def test_every_fault_alone_and_with_each_other_leads_to_an_end(sandbox, gateway, bob):
    """Whatever is combined, a reader comes to the end of the list or is told why not."""
    account_id, token = bob
    hiding = {
        "cap_rows": 120,
        "omit_rows": 0.1,
        "omit_block": {"rows": 40, "hours": 24},
        "omit_same": {"share": 0.1, "hours": 24},
        "stale": {"share": 0.5, "hours": 12},
        "overlapping_pages": 0.5,
        "max_page_rows": 30,
        "cursor_skips": 0.5,
        "cursor_repeats": 0.5,
        "moving_cursor": 1,
    }
    orders = [None, "relevance", "fixed_random", "reversed", "random_each_time"]
    assert set(hiding) < set(NAMES)
    sandbox.advance(13 * HOUR)
    sandbox.change(account_id, follow=10, leave=20)
    true = set(true_ids(sandbox, account_id))
    for order in orders:
        for one in hiding:
            for other in hiding:
                chosen: dict[str, Any] = {one: hiding[one], other: hiding[other]}
                sandbox.faults(account_id, **chosen | ({"order": order} if order else {}))
                found = scan(gateway, token, account_id, 100)
                assert found, (order, one, other)
                if "stale" not in chosen:
                    assert set(found) <= true


def test_at_the_command_line_a_name_alone_does_something_and_a_value_can_follow():
    words = ["cap_rows", "order=reversed", 'stale={"share": 0.1, "hours": 6}', "slow=0.5"]

    assert from_words(words) == {
        "cap_rows": DEFAULTS["cap_rows"],
        "order": "reversed",
        "stale": {"share": 0.1, "hours": 6.0},
        "slow": 0.5,
    }
    assert set(from_words(list(NAMES))) == set(NAMES)
    for wrong in ("rain", "order=newest", "slow=often", "stale=0.5"):
        with pytest.raises(BadRequest):
            from_words([wrong])


def test_a_shuffle_is_a_whole_order_of_any_size():
    for size in (1, 2, 3, 10, 64, 65, 1000):
        order = Shuffle(size, 42)
        assert sorted(order[place] for place in range(size)) == list(range(size))
    assert [Shuffle(50, 1)[n] for n in range(50)] != [Shuffle(50, 2)[n] for n in range(50)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"cap_rows": 900_000},
        {"omit_same": {"share": 0.1, "hours": 24}},
        {"omit_block": {"rows": 200_000, "hours": 24}},
        {"stale": {"share": 1, "hours": 12}},
        {"order": "relevance"},
        {"order": "fixed_random"},
        {"order": "reversed"},
        {"order": "random_each_time"},
        {"overlapping_pages": True},
        {"cursor_skips": True},
    ],
    ids=lambda fault: next(iter(fault), "nothing"),
)
def test_a_page_of_a_million_costs_what_a_page_costs(sandbox, gateway, million, fault):
    """The first page may pay once for an order or for rows that were never shown; no other."""
    account_id, token = million
    patient = replace(gateway, timeout=60)
    honest = _usual_seconds(patient, token, account_id)
    sandbox.faults(account_id, **fault)

    assert _usual_seconds(patient, token, account_id) < 30 * honest


def _usual_seconds(gateway: Gateway, token: str, account_id: str) -> float:
    """The median of thirty pages behind the first."""
    page = gateway.followers(token, account_id, "followers", 1000, None)
    times = []
    for _page in range(30):
        began = time.perf_counter()
        page = gateway.followers(token, account_id, "followers", 1000, page.after)
        times.append(time.perf_counter() - began)
    return sorted(times)[15]


@pytest.fixture
def million(sandbox: Sandbox, link: Any) -> tuple[str, str]:
    sandbox.persona("million.one", followers=1_000_000)
    found: tuple[str, str] = link("million.one")
    return found
