"""Whoever leaves right after linking is told as soon as anybody else, not after a week."""

from __future__ import annotations

import pytest

from followersync.models import Absence, Follower, FollowerChange, SyncRun, SyncSettings
from followersync.services.sync.runs import advance, request_sync
from tests.support.sync import connect, held, truth

pytestmark = pytest.mark.django_db


def sync(account):
    open_run = SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN).first()
    run = open_run or request_sync(account=account, trigger="member")
    while advance(run.pk):
        pass
    return SyncRun.objects.get(pk=run.pk)


def test_who_leaves_right_after_the_first_sync_is_lost_after_the_second_look(alice, sandbox, clock):
    account = connect(sandbox, alice, "ada")
    first = sync(account)
    assert first.state == "succeeded"
    gone = set(sandbox.change(account.instagram_id, leave=5)["left"])

    clock.advance(minutes=1)
    sync(account)
    unconfirmed = set(Absence.objects.values_list("key", flat=True))
    clock.advance(hours=6, minutes=1)
    sync(account)
    lost = set(FollowerChange.objects.filter(kind="lost").values_list("key", flat=True))

    assert {str(key) for key in unconfirmed} == gone
    assert {str(key) for key in lost} == gone


def test_looks_in_quick_succession_are_one_look_and_lose_nobody(alice, sandbox, clock):
    account = connect(sandbox, alice, "ada")
    sync(account)
    gone = set(sandbox.change(account.instagram_id, leave=5)["left"])

    sync(account)
    clock.advance(minutes=5)
    sync(account)

    assert not FollowerChange.objects.filter(kind="lost").exists()
    assert {str(key) for key in Absence.objects.values_list("key", flat=True)} == gone


def test_the_first_sync_of_a_short_list_reads_it_twice_and_tells_no_gain(alice, sandbox, clock):
    account = connect(sandbox, alice, "bob")

    run = sync(account)

    assert run.state == "succeeded"
    assert not FollowerChange.objects.filter(account_id=account.pk).exists()
    assert sandbox.count("followers", account.instagram_id) == 2


def test_a_list_that_was_numbered_anew_is_read_although_it_looks_as_stored(alice, sandbox, clock):
    account = connect(sandbox, alice, "bob")
    sync(account)
    settings = SyncSettings.objects.get(pk=account.pk)
    lowest = Follower.objects.filter(account_id=account.pk).order_by("place")
    settings.memory["memory"]["zone"] = lowest.values_list("place", flat=True)[1]
    settings.save()
    oldest = lowest.first()
    Follower.objects.filter(pk=oldest.pk).update(place=oldest.place - 5)

    run = sync(account)

    assert run.state == "succeeded"
    assert held(account) == truth(sandbox, account)
