"""The sandbox's own list, driven at random against a plain one: the truth must be true."""

from __future__ import annotations

import random
import re

import pytest

from accounts.instagram.sandbox.account import MICROSECONDS, Account, make_account
from accounts.instagram.sandbox.arrangement import Arrangement, Order
from accounts.instagram.sandbox.life import Life
from accounts.instagram.sandbox.people import NAME_SPACE, People
from accounts.instagram.sandbox.state import load, save
from accounts.instagram.sandbox.words import FIRST, LAST
from accounts.instagram.sandbox.world import Config, World

NOW = 1_790_000_000 * MICROSECONDS


def _pages(account: Account, limit: int) -> list[str]:
    ids: list[str] = []
    key = None
    while True:
        page = account.followers.before(key, limit)
        assert page.count <= limit
        ids += [each.decode() for each in re.findall(rb'"id":"(\d+)"', page.body)]
        if not page.more:
            return ids
        key = page.oldest


@pytest.mark.parametrize("followers", [0, 1, 30, 999, 1000, 1001, 2500])
def test_pages_of_any_size_show_the_true_list_after_any_history(followers):
    people = People(7)
    account = make_account(
        people, seed="7", username="ada", followers=followers, now=NOW, shared=[]
    )
    life, rng, now = Life(people, {account.id: account}), random.Random(followers), NOW

    for _step in range(40):
        now += rng.randrange(1, 10**9)
        verbs = rng.sample(["follow", "leave", "return", "rename", "deactivate", "reactivate"], 3)
        life.change(account, {verb: rng.randrange(60) for verb in verbs}, now)
        true = [str(each["id"]) for each in account.true_list()]
        assert _pages(account, rng.choice([1, 7, 100, 1000]) if len(true) < 200 else 1000) == true
        assert account.shown == len(true) == len(set(true))


def test_what_is_asked_for_is_done_as_far_as_there_are_people():
    people = People(7)
    account = make_account(people, seed="7", username="ada", followers=3, now=NOW, shared=[])
    life = Life(people, {account.id: account})

    done = life.change(account, {"leave": 10, "return": 2, "rename": 1}, NOW)

    assert {verb: len(numbers) for verb, numbers in done.items()} == {
        "left": 3,
        "returned": 0,
        "renamed": 0,
        "deactivated": 0,
        "reactivated": 0,
        "followed": 0,
    }


def test_a_person_looks_the_same_in_every_list():
    world = World(Config("id", "secret", clock=lambda: 1_790_000_000.0))
    ada = world.persona("ada")
    some = [number for number, _key in ada.followers][:5]
    zoe = world.add("zoe", 5, some)
    ada.followers.render()

    world.life.change(zoe, {"rename": [some[0]], "deactivate": [some[1]]}, world.microseconds())

    names = {each["id"]: each["username"] for each in zoe.true_list()}
    shown = {each["id"]: each["username"] for each in ada.true_list()}
    assert len(names) == 4
    assert all(shown[each] == name for each, name in names.items())
    assert f'"{world.people.username_of(some[0])}"'.encode() in ada.followers.before(None, 10).body


def test_ids_lead_back_to_their_people_and_nobody_else():
    people = People(3)
    numbers = people.new(10_000)

    assert [people.number_of(people.id_of(number)) for number in numbers] == list(numbers)
    assert people.number_of(people.id_of(10_001)) is None
    assert people.number_of(12) is None


def test_two_people_never_have_one_name():
    assert len(set(FIRST)) == len(FIRST)
    assert len({first + last for first in FIRST for last in LAST}) == len(FIRST) * len(LAST)
    people = People(3)

    names = {people.username_of(number) for number in people.new(200_000)}

    assert len(names) == 200_000
    assert max(map(len, names)) <= 30
    with pytest.raises(ValueError, match="usernames"):
        people.new(NAME_SPACE)


def test_a_world_goes_on_after_a_restart_with_its_tokens_and_people(tmp_path):
    config = Config("id", "secret", clock=lambda: 1_790_000_000.0)
    world = World(config, seed=4)
    ada = world.persona("ada")
    world.life.change(ada, {"follow": 3, "leave": 5, "rename": 2}, world.microseconds())
    code = world.oauth.issue_code(ada, "http://x.example/", [])
    save(world, tmp_path / "state")

    again = load(tmp_path / "state", config)

    assert again is not None
    assert again.persona("ada").true_list() == ada.true_list()
    assert code in again.oauth.codes
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_state_that_cannot_be_read_is_no_state(tmp_path):
    config = Config("id", "secret")
    (tmp_path / "state").write_bytes(b"rubbish")

    assert load(tmp_path / "state", config) is None
    assert load(tmp_path / "nowhere", config) is None


def test_a_list_in_another_order_that_was_left_by_all_takes_newcomers():
    arranged = Arrangement(Order("reversed", 1), [(1, 10)])
    arranged.remove(1, 10)

    arranged.insert(2, 20)

    assert [number for number, _key in arranged.below(None)] == [2]
