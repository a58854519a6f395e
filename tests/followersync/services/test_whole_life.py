from __future__ import annotations

import pytest

from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from followersync import selectors
from followersync.models import Absence, FollowerSnapshot, SyncSettings
from tests.support.clock import Clock
from tests.support.factories import consent
from tests.support.sandbox import Sandbox
from tests.support.sync import (
    assert_books_agree,
    connect,
    held,
    kinds,
    replay,
    sync_when_due,
    truth,
)


@pytest.fixture
def ada(sandbox: Sandbox, alice: User, clock: Clock) -> LinkedAccount:
    sandbox.persona("lovelace", followers=250)
    return connect(sandbox, alice, "lovelace")


def test_the_first_list_is_a_baseline_and_not_a_crowd_of_gains(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sync_when_due(ada, clock, syncs=1)

    overview = selectors.overview(ada)
    assert held(ada) == truth(sandbox, ada)
    assert (overview.followers, overview.complete) == (250, True)
    assert kinds(ada) == {}
    assert overview.baseline_at is not None


def test_newcomers_are_seen_at_the_next_sync_for_two_calls(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sync_when_due(ada, clock, syncs=3)
    followed = sandbox.change(ada.instagram_id, follow=5)["followed"]

    (run,) = sync_when_due(ada, clock, syncs=1)

    assert sorted(kinds(ada)["gained"]) == sorted(map(int, followed))
    assert (run.gained, run.calls) == (5, 2)
    assert held(ada) == truth(sandbox, ada)


def test_a_sync_that_finds_nothing_new_costs_two_calls_at_most(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sync_when_due(ada, clock, syncs=3)
    sandbox.clear_requests()

    (run,) = sync_when_due(ada, clock, syncs=1)

    assert run.calls == sandbox.count("me") + sandbox.count("followers") <= 2


def test_who_left_is_unconfirmed_at_once_and_lost_after_a_second_look(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sync_when_due(ada, clock, syncs=3)
    left = set(map(int, sandbox.change(ada.instagram_id, leave=8)["left"]))

    sync_when_due(ada, clock, syncs=1)
    unconfirmed = set(Absence.objects.values_list("key", flat=True))
    sync_when_due(ada, clock, syncs=3)

    assert unconfirmed
    assert unconfirmed <= left
    assert "lost" in kinds(ada)
    assert set(kinds(ada)["lost"]) <= left


def test_follow_leave_return_and_rename_end_in_equality_with_each_change_once(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sync_when_due(ada, clock, syncs=3)
    pinned = selectors.followers_page(ada, limit=1000)
    copy = {row.public_id: row.username for row in pinned.rows}

    first = sandbox.change(ada.instagram_id, follow=7, leave=5, rename=4)
    sync_when_due(ada, clock, syncs=80)
    second = sandbox.change(ada.instagram_id, return_=2)
    sync_when_due(ada, clock, syncs=80)

    found = kinds(ada)
    assert held(ada) == truth(sandbox, ada)
    assert sorted(found["gained"]) == sorted(map(int, first["followed"]))
    assert sorted(found["lost"]) == sorted(map(int, first["left"]))
    assert sorted(found["returned"]) == sorted(map(int, second["returned"]))
    assert sorted(found["renamed"]) == sorted(map(int, first["renamed"]))
    now = selectors.followers_page(ada, limit=1000)
    assert replay(ada, copy, pinned.position) == {r.public_id: r.username for r in now.rows}
    assert_books_agree(ada)


def test_every_finished_run_leaves_a_snapshot_with_its_evidence(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sync_when_due(ada, clock, syncs=2)

    snapshot = FollowerSnapshot.objects.order_by("id").first()
    assert snapshot is not None
    assert (snapshot.followers, snapshot.mode) == (250, "full")
    assert snapshot.evidence["people"] == 250
    assert snapshot.digest == SyncSettings.objects.get(pk=ada.pk).digest


@pytest.mark.slow
def test_faults_lose_nobody_and_equality_returns_when_they_end(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    sync_when_due(ada, clock, syncs=2)
    sandbox.faults(empty_page=0.3, cut_list=0.3, http_500=0.3, truncated_json=0.3)

    sync_when_due(ada, clock, syncs=20)

    assert "lost" not in kinds(ada)
    sandbox.faults()
    sandbox.change(ada.instagram_id, follow=3)
    sync_when_due(ada, clock, syncs=10)
    assert held(ada) == truth(sandbox, ada)
    assert "lost" not in kinds(ada)
    assert not Absence.objects.exists()
    assert_books_agree(ada)


def test_without_a_list_endpoint_only_the_count_is_read_and_said(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock, settings
) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = ""
    consent(ada, Scope.PROFILE)

    (run,) = sync_when_due(ada, clock, syncs=1)

    overview = selectors.overview(ada)
    assert (run.state, run.mode, run.calls) == ("succeeded", "count", 1)
    assert (overview.followers, overview.reported) == (None, 251)
    assert held(ada) == set()
