"""A member who reads that somebody left can read how that is known; a wrong name would be a lie."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import LinkedAccount, User
from followersync.models import Follower, PastFollow
from followersync.selectors import changes_page
from followersync.selectors.loss_evidence import LossEvidence, loss_evidence
from tests.support.clock import Clock
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, run_to_end


@pytest.fixture
def ada(sandbox: Sandbox, alice: User, clock: Clock) -> LinkedAccount:
    """Her account, of whom the person at the middle of the list has left."""
    sandbox.persona("lovelace", followers=250)
    account = connect(sandbox, alice, "lovelace")
    for _look in range(3):
        run_to_end(account)
        clock.advance(hours=6)
    shown = [row["id"] for row in sandbox.true_list(str(account.instagram_id))]
    sandbox.change(account.instagram_id, leave=[shown[40]])
    for _look in range(3):
        run_to_end(account)
        clock.advance(hours=6)
    return account


def told(account: LinkedAccount) -> list[LossEvidence]:
    rows = changes_page(account, kind="lost", limit=50).rows
    return list(loss_evidence(account, rows).values())


def neighbours(account: LinkedAccount) -> list[str]:
    """Who stands above and below where somebody left."""
    rows = Follower.objects.filter(account_id=account.pk).order_by("-place")
    return [row.username for row in rows[39:41]]


def test_the_page_tells_the_looks_the_neighbours_and_what_the_count_said(
    as_alice: Client, ada: LinkedAccount
) -> None:
    (evidence,) = told(ada)

    assert [evidence.above, evidence.below] == neighbours(ada)
    assert len(evidence.looks) == 2
    assert evidence.looks[1] - evidence.looks[0] >= timedelta(hours=6)
    page = as_alice.get(reverse("account-changes", args=[ada.pk])).content.decode()
    assert "2 looks, at least six hours apart, missed them" in page
    assert f"@{evidence.above} and @{evidence.below}, who stood on either side" in page
    assert "own count had come down as well" in page


def test_a_neighbour_who_is_not_held_any_more_is_named_nowhere(ada: LinkedAccount) -> None:
    above, below = neighbours(ada)
    Follower.objects.filter(account_id=ada.pk, username=above).delete()

    (evidence,) = told(ada)

    assert (evidence.above, evidence.below) == ("", below)


def test_whoever_came_later_to_a_neighbours_place_is_not_taken_for_them(
    ada: LinkedAccount, clock: Clock
) -> None:
    above, below = neighbours(ada)
    Follower.objects.filter(account_id=ada.pk, username=above).update(
        username="came.later", first_seen_at=clock.moment
    )

    (evidence,) = told(ada)

    assert (evidence.above, evidence.below) == ("", below)


def test_of_thousands_who_left_at_once_a_page_reads_its_own_alone(
    ada: LinkedAccount, django_assert_max_num_queries
) -> None:
    at = PastFollow.objects.get(account_id=ada.pk).valid_to
    PastFollow.objects.bulk_create(
        PastFollow(
            account_id=ada.pk,
            key=10**15 + n,
            valid_to=at,
            username=f"gone.{n}",
            evidence={"proof": "an unknown proof that would fail", "looks": []},
        )
        for n in range(500)
    )

    with django_assert_max_num_queries(4):
        assert len(told(ada)) == 1
