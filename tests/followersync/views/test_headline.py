"""The first sentence of an account's page: a member acts on it, so it must never be rosier than
what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from accounts import clock
from accounts.models import LinkedAccount
from followersync.models import SyncRun
from followersync.selectors import Overview
from followersync.views.headline import headline_of
from tests.support.clock import Clock


@pytest.fixture(autouse=True)
def _list_endpoint(settings: Settings) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = "followers"


@pytest.fixture
def account() -> LinkedAccount:
    return LinkedAccount(pk=1, username="ada", kind="oauth", instagram_id="1")


@pytest.fixture
def synced(clock: Clock) -> Overview:
    now = clock()
    return Overview(
        followers=1204,
        reported=1204,
        unconfirmed=0,
        unconfirmed_since=None,
        complete=True,
        baseline_at=now - timedelta(days=9),
        last_synced_at=now - timedelta(minutes=3),
        next_sync_at=now + timedelta(minutes=10),
        running=None,
        last_run=None,
        interval_minutes=360,
        failures=0,
        waiting_until=None,
    )


def test_all_is_the_same_and_says_when_that_was_checked(
    account: LinkedAccount, synced: Overview
) -> None:
    truth = headline_of(account, synced)

    assert truth.sentence == (
        "Your 1,204 followers here are the same as on Instagram, checked 3 minutes ago."
    )
    assert truth.tone == "good"
    assert truth.next.startswith("The next look is at ")


def test_a_count_that_differs_is_not_called_the_same_as_on_instagram(
    account: LinkedAccount, synced: Overview
) -> None:
    truth = headline_of(account, replace(synced, reported=1209))

    assert "the same as in Instagram's list" in truth.sentence


def test_one_follower_is_spoken_of_as_one(account: LinkedAccount, synced: Overview) -> None:
    truth = headline_of(account, replace(synced, followers=1, reported=1))

    assert truth.sentence.startswith("Your 1 follower here is the same")


def test_unconfirmed_people_are_owned_up_to_with_the_time_of_the_next_look(
    account: LinkedAccount, synced: Overview
) -> None:
    truth = headline_of(account, replace(synced, unconfirmed=2))

    assert truth.sentence == (
        "Of your 1,204 followers here, 2 are not in Instagram's list just now."
    )
    assert truth.tone == "wait"
    assert "they still count here" in truth.next
    assert "Looking again at" in truth.next


CASES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"paused_at": "now"}, {}, "Paused", "wait"),
    ({"needs_reconnect_since": "now"}, {}, "Instagram ended the connection", "bad"),
    ({"unlinked_at": "now"}, {}, "was unlinked", "bad"),
    ({}, {"failures": 2}, "failed; nobody was lost by it", "bad"),
    ({}, {"complete": False, "followers": 900}, "900 of the 1,204", "wait"),
    (
        {},
        {"complete": False, "reported": None},
        "whether that is all is not known yet",
        "wait",
    ),
    ({}, {"baseline_at": None, "followers": None}, "about to be read", "wait"),
    (
        {},
        {"baseline_at": None, "followers": None, "next_sync_at": None},
        "are not being read",
        "wait",
    ),
    ({}, {"baseline_at": None, "followers": None, "failures": 1}, "could not be read", "bad"),
]


@pytest.mark.parametrize(("of_account", "of_overview", "words", "tone"), CASES)
def test_what_is_not_so_is_said(
    of_account: dict[str, Any],
    of_overview: dict[str, Any],
    words: str,
    tone: str,
    account: LinkedAccount,
    synced: Overview,
) -> None:
    for field in of_account:
        setattr(account, field, clock.now() - timedelta(hours=2))

    truth = headline_of(account, replace(synced, **of_overview))

    assert words in truth.sentence
    assert truth.tone == tone
    assert "same as" not in truth.sentence


def test_a_dead_connection_offers_to_reconnect_this_very_account(
    account: LinkedAccount, synced: Overview
) -> None:
    account.needs_reconnect_since = clock.now()

    assert headline_of(account, synced).reconnect


def test_the_first_reading_says_how_far_it_is(account: LinkedAccount, synced: Overview) -> None:
    run = SyncRun(state="running", progress={"seen": 1200, "expected": 5000})
    first = replace(synced, baseline_at=None, followers=None, running=run)

    assert "1,200 so far" in headline_of(account, first).sentence


def test_without_a_list_endpoint_it_is_said_that_instagram_names_nobody(
    account: LinkedAccount, synced: Overview, settings: Settings
) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = ""

    truth = headline_of(account, replace(synced, baseline_at=None, followers=None))

    assert truth.sentence == "Instagram counts 1,204 followers; who they are, it tells no app."
    assert "export" in truth.next


def test_no_sentence_says_unfollowed(account: LinkedAccount, synced: Overview) -> None:
    for of_account, of_overview, _words, _tone in CASES:
        for field in of_account:
            setattr(account, field, clock.now())
        truth = headline_of(account, replace(synced, **of_overview))
        assert "unfollow" not in f"{truth.sentence} {truth.next}".lower()
