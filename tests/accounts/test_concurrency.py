"""What two processes do in the same moment must come out as if one had come first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts import selectors
from accounts.errors import Conflict, ThreadsiteError
from accounts.models import AccessToken, ConsentEvent, ConsentHead, LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import consent, ledger, linking
from tests.accounts.test_linking import link
from tests.support.factories import LinkedAccountFactory
from tests.support.factories import consent as allow

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Results in the order given; an error of ours is a result too."""
    gate = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=10)
            results[place] = act()
        except ThreadsiteError as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def test_entries_made_at_once_form_one_unbroken_chain(alice: User, account: LinkedAccount) -> None:
    at_once(*(lambda scope=scope: allow(account, scope) for scope in Scope))

    assert selectors.consents_in_force(account) == set(Scope)
    numbers = ConsentEvent.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(numbers) == [1, 2, 3, 4]
    assert next(ledger.verify(), None) is None


def test_chains_begun_at_once_are_numbered_without_a_gap(alice: User) -> None:
    accounts = [LinkedAccountFactory(owner=alice) for _ in range(6)]

    at_once(*(lambda each=each: allow(each, Scope.PROFILE) for each in accounts))

    assert sorted(ConsentHead.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert next(ledger.verify(), None) is None


def test_a_double_click_grants_once_and_withdraws_once(alice: User, account: LinkedAccount) -> None:
    at_once(*[lambda: allow(account, Scope.FOLLOWERS)] * 4)
    assert ConsentEvent.objects.count() == 1

    def withdraw() -> ConsentEvent:
        return consent.withdraw(account=account, scope=Scope.FOLLOWERS, channel="web", actor=alice)

    results = at_once(*[withdraw] * 4)

    assert sum(isinstance(each, Conflict) for each in results) == 3
    assert ConsentEvent.objects.count() == 2


def test_two_members_who_prove_one_account_at_once_do_not_both_hold_it(
    alice: User, bob: User
) -> None:
    results = at_once(lambda: link(alice), lambda: link(bob))

    assert sum(isinstance(each, Conflict) for each in results) == 1
    account = LinkedAccount.objects.get()
    assert AccessToken.objects.get().account == account


def test_one_account_linked_twice_at_once_is_one_account(alice: User) -> None:
    at_once(*[lambda: link(alice)] * 3)

    assert LinkedAccount.objects.count() == AccessToken.objects.count() == 1


def test_one_archive_added_twice_at_once_is_one_account(alice: User) -> None:
    at_once(*[lambda: linking.link_by_archive(owner=alice, username="ada")] * 3)

    assert LinkedAccount.objects.count() == 1


def test_unlinking_twice_at_once_asks_for_one_erasure(alice: User, account: LinkedAccount) -> None:
    def unlink() -> object:
        return linking.unlink(account=account, erase="now", channel="web", actor=alice)

    results = at_once(*[unlink] * 3)

    assert sum(isinstance(each, Conflict) for each in results) == 2
