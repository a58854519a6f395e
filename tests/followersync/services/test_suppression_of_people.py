"""Somebody who asked to be left out is in no list, and does not come back with the next sync."""

from __future__ import annotations

import pytest

from accounts.models import LinkedAccount
from accounts.registry import Person
from accounts.services import suppression
from followersync import selectors
from followersync.domain import digest
from followersync.models import Follower, FollowerChange, PastFollow, SyncSettings
from followersync.services.personal_data import suppression as suppressing
from tests.support import residue
from tests.support.clock import Clock
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, run_to_end

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(sandbox: Sandbox, alice, edge) -> LinkedAccount:
    sandbox.persona("ada.lovely", followers=40)
    account = connect(sandbox, alice, "ada.lovely")
    run_to_end(account)
    return account


def left_out(person: Follower) -> None:
    """The person proves by Instagram who they are, and is dropped."""
    request = suppression.suppress_proven(
        instagram_id=str(person.key), username=person.username, language="en"
    )
    while suppression.advance(request.pk):
        pass


def test_the_person_is_gone_from_list_feed_and_past_intervals(ada, clock: Clock):
    person = Follower.objects.filter(account_id=ada.pk)[7]
    PastFollow.objects.create(
        account_id=ada.pk, key=person.key, username=person.username, valid_to=clock()
    )
    before = Follower.objects.count()

    left_out(person)

    assert residue.hits([person.username, str(person.key)]) == []
    assert Follower.objects.count() == before - 1
    assert not PastFollow.objects.exists()


def test_the_next_sync_does_not_bring_them_back(ada, clock: Clock):
    person = Follower.objects.filter(account_id=ada.pk)[7]
    left_out(person)

    clock.advance(hours=6)
    run = run_to_end(ada)

    assert run.state == "succeeded"
    assert not Follower.objects.filter(account_id=ada.pk, key=person.key).exists()
    assert residue.hits([person.username]) == []


def test_a_change_of_name_does_not_bring_them_back(ada):
    person = Follower.objects.filter(account_id=ada.pk)[7]
    left_out(person)

    rows = [(person.key, "a.new.name"), (999, "somebody.else")]

    assert suppressing.visible(ada.pk, rows, {}) == [(999, "somebody.else")]


def test_count_and_digest_agree_with_the_list_afterwards(ada):
    left_out(Follower.objects.filter(account_id=ada.pk)[7])

    settings = SyncSettings.objects.get(pk=ada.pk)
    rows = Follower.objects.filter(account_id=ada.pk).values_list("key", "username")
    value = digest.combine(0, added=rows, removed=[], digest_key=bytes(settings.digest_key))
    assert settings.followers_count == len(rows)
    assert settings.digest == digest.to_hex(value)


def test_a_copy_elsewhere_must_list_again_and_the_feed_stays_gapless(ada):
    epoch = SyncSettings.objects.get(pk=ada.pk).epoch

    left_out(Follower.objects.filter(account_id=ada.pk)[7])

    settings = SyncSettings.objects.get(pk=ada.pk)
    newest = FollowerChange.objects.get(account_id=ada.pk, position=settings.head)
    assert settings.epoch != epoch
    assert (newest.kind, newest.username) == ("removed", "")
    assert selectors.changes_page(ada).rows[0].kind == "removed"


def test_nobody_is_told_lost_by_it(ada, clock: Clock):
    left_out(Follower.objects.filter(account_id=ada.pk)[7])

    for _time in range(3):
        clock.advance(hours=30)
        run_to_end(ada)

    assert not FollowerChange.objects.filter(account_id=ada.pk, kind="lost").exists()


def test_other_peoples_lists_are_reached_too_and_no_one_else_goes(ada, sandbox, bob):
    person = Follower.objects.filter(account_id=ada.pk)[3]
    Follower.objects.create(account_id=ada.pk + 1000, key=1, place=1, username="other")
    found = list(suppressing.find(Person(instagram_id=person.key, username=person.username)))

    left_out(person)

    assert len(found) == 1
    assert ada.pk not in found[0].values()
    assert Follower.objects.filter(username="other").exists()
