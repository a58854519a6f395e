"""Members find each other: only where both agreed, only by proven id, and not a moment longer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import InvalidInput
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import consent as consents
from accounts.services import erasure, linking
from followersync.models import Absence, Follower
from followersync.selectors.known_members import known_members_of
from tests.support.clock import Clock
from tests.support.factories import LinkedAccountFactory, MemberFactory, consent
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, linked, run_to_end, without_runs, write

pytestmark = pytest.mark.django_db


def member(owner: User, username: str, *scopes: Scope, **fields: object) -> LinkedAccount:
    """A linked account that is synced, and is discoverable unless other scopes are named."""
    account = without_runs(linked(owner, username=username, **fields))
    consent(account, *(scopes or [Scope.DISCOVERABLE]))
    return account


def follow(follower: LinkedAccount, followed: LinkedAccount) -> None:
    assert follower.instagram_id
    write(followed, people=[(int(follower.instagram_id), follower.username)])


@pytest.fixture
def alices(alice: User) -> LinkedAccount:
    return member(alice, "alice.ig")


@pytest.fixture
def bobs(bob: User) -> LinkedAccount:
    return member(bob, "bob.ig")


@pytest.fixture
def friends(alices: LinkedAccount, bobs: LinkedAccount) -> tuple[LinkedAccount, LinkedAccount]:
    """Alice and Bob follow each other, and agreed to be found."""
    follow(alices, bobs)
    follow(bobs, alices)
    return alices, bobs


def shown(account: LinkedAccount) -> list[str]:
    """By name, with `<>` for both, `<` for who follows the account, `>` for whom it follows."""
    return [
        "<" * row.follows_you + ">" * row.you_follow + row.username
        for row in known_members_of(account).rows
    ]


def test_members_who_follow_each_other_find_each_other(
    friends: tuple[LinkedAccount, LinkedAccount],
) -> None:
    alices, bobs = friends

    assert shown(alices) == ["<>bob.ig"]
    assert shown(bobs) == ["<>alice.ig"]


def test_the_lists_that_instagram_tells_bring_two_members_together(
    sandbox: Sandbox, alice: User, bob: User
) -> None:
    cleo, emil = connect(sandbox, alice, "cleo"), connect(sandbox, bob, "emil")
    sandbox.change(cleo.instagram_id or "", follow=[emil.instagram_id or ""])
    sandbox.change(emil.instagram_id or "", follow=[cleo.instagram_id or ""])
    consent(cleo, Scope.DISCOVERABLE)
    consent(emil, Scope.DISCOVERABLE)

    run_to_end(cleo)
    run_to_end(emil)

    assert shown(cleo) == ["<>emil"]
    assert shown(emil) == ["<>cleo"]


def test_where_only_one_follows_both_are_told_so(
    alices: LinkedAccount, bobs: LinkedAccount
) -> None:
    follow(bobs, alices)

    assert shown(alices) == ["<bob.ig"]
    assert shown(bobs) == [">alice.ig"]


@pytest.mark.parametrize("silent", [0, 1])
def test_one_yes_is_not_enough_and_nobody_learns_of_the_other(
    friends: tuple[LinkedAccount, LinkedAccount], silent: int
) -> None:
    consents.withdraw(
        account=friends[silent],
        scope=Scope.DISCOVERABLE,
        channel="web",
        actor=friends[silent].owner,
    )

    assert shown(friends[0]) == shown(friends[1]) == []


def test_a_match_waits_for_the_other_and_appears_when_they_join(
    alices: LinkedAccount, bob: User
) -> None:
    write(alices, people=[(17841400099900001, "bob.ig")])
    assert shown(alices) == []

    bobs = LinkedAccountFactory(owner=bob, instagram_id="17841400099900001", username="bob.ig")
    assert shown(alices) == []
    consent(bobs, Scope.DISCOVERABLE)

    assert shown(alices) == ["<bob.ig"]


def test_nobody_is_recognised_by_name(alices: LinkedAccount, bobs: LinkedAccount) -> None:
    write(alices, people=[(17841400099900001, bobs.username)])
    Follower.objects.filter(account_id=alices.pk).update(key=-5)

    assert shown(alices) == shown(bobs) == []


@pytest.mark.parametrize("unproven", ["bob.ig", "17841400099900001"])
def test_an_archive_and_a_name_prove_nothing(
    alices: LinkedAccount, bob: User, unproven: str
) -> None:
    write(alices, people=[(17841400099900001, "bob.ig")])
    bobs = member(bob, unproven, kind="archive")

    write(bobs, people=[(int(alices.instagram_id or ""), "alice.ig")])

    assert shown(alices) == shown(bobs) == []


def _pause(account: LinkedAccount) -> None:
    linking.pause(account=account, actor=account.owner)


def _unlink(account: LinkedAccount) -> None:
    linking.unlink(account=account, erase="now", channel="web", actor=account.owner)


def _unlink_with_grace(account: LinkedAccount) -> None:
    linking.unlink(account=account, erase="after_grace", channel="web", actor=account.owner)


def _leave(account: LinkedAccount) -> None:
    erasure.request_full_erasure(owner=account.owner, channel="web")


@pytest.mark.parametrize("go", [_pause, _unlink, _unlink_with_grace, _leave])
@pytest.mark.parametrize("who", [0, 1])
def test_whoever_goes_is_gone_from_both_pages_at_once(
    friends: tuple[LinkedAccount, LinkedAccount], who: int, go: Callable[[LinkedAccount], None]
) -> None:
    go(friends[who])

    assert shown(friends[0]) == shown(friends[1]) == []


def test_a_pause_hides_and_going_on_shows_again(
    friends: tuple[LinkedAccount, LinkedAccount],
) -> None:
    _pause(friends[1])
    linking.resume(account=friends[1], actor=friends[1].owner)

    assert shown(friends[0]) == ["<>bob.ig"]


def test_an_erased_list_no_longer_tells_whom_it_held(
    friends: tuple[LinkedAccount, LinkedAccount],
) -> None:
    deletion = linking.unlink(account=friends[1], erase="now", channel="web", actor=None)
    while erasure.advance(deletion.pk):
        pass

    assert shown(friends[0]) == []


def test_a_list_kept_after_its_consent_shows_nobody(
    friends: tuple[LinkedAccount, LinkedAccount],
) -> None:
    alices, bobs = friends

    consents.withdraw(
        account=bobs, scope=Scope.FOLLOWERS, channel="web", actor=bobs.owner, keep_data=True
    )

    assert shown(alices) == ["<bob.ig"]
    assert shown(bobs) == [">alice.ig"]


def test_who_left_is_no_connection(friends: tuple[LinkedAccount, LinkedAccount]) -> None:
    alices, bobs = friends
    write(alices, lost=[int(bobs.instagram_id or "")])

    assert shown(alices) == [">bob.ig"]


def test_who_is_not_in_the_list_just_now_is_shown_as_such(
    friends: tuple[LinkedAccount, LinkedAccount], clock: Clock
) -> None:
    alices, bobs = friends
    Absence.objects.create(
        account_id=alices.pk,
        key=int(bobs.instagram_id or ""),
        unconfirmed_since=clock(),
        last_at=clock(),
    )

    assert known_members_of(alices).rows[0].unconfirmed_since == clock()
    assert known_members_of(bobs).rows[0].unconfirmed_since is None


def test_ones_own_second_account_is_no_other_member(alice: User, alices: LinkedAccount) -> None:
    second = member(alice, "alice.work")
    follow(second, alices)

    assert shown(alices) == shown(second) == []


def test_a_new_name_at_instagram_changes_nothing(
    friends: tuple[LinkedAccount, LinkedAccount],
) -> None:
    LinkedAccount.objects.filter(pk=friends[1].pk).update(username="robert.ig")

    assert shown(friends[0]) == ["<>robert.ig"]


@pytest.fixture
def crowd(alices: LinkedAccount) -> list[LinkedAccount]:
    """Five members whom Alice's list holds; the last of them lists her too."""
    joined = [member(MemberFactory(), f"friend{n}") for n in range(5)]
    write(alices, people=[(int(each.instagram_id or ""), each.username) for each in joined])
    follow(alices, joined[-1])
    return joined


def test_pages_join_and_begin_with_those_who_follow_each_other(
    alices: LinkedAccount, crowd: list[LinkedAccount]
) -> None:
    first = known_members_of(alices, limit=2)
    second = known_members_of(alices, limit=2, cursor=first.next)
    third = known_members_of(alices, limit=2, cursor=second.next)

    names = [row.username for row in [*first.rows, *second.rows, *third.rows]]
    assert names == ["friend4", "friend0", "friend1", "friend2", "friend3"]
    assert third.next is None


def test_a_page_is_one_query(alices: LinkedAccount, crowd: list[LinkedAccount]) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert len(known_members_of(alices).rows) == len(crowd)

    assert len(queries) == 1


@pytest.mark.parametrize("cursor", ["x", "WzEsIjUiLDAsMF0"])
def test_a_cursor_that_is_not_ours(alices: LinkedAccount, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        known_members_of(alices, cursor=cursor)
