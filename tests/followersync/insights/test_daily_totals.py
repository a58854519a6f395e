"""What a member with a business account and nothing else gets, from the first minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts import clock
from accounts.errors import RetryLater
from accounts.instagram import gateway
from accounts.scopes import Scope
from accounts.services import consent as consents
from accounts.services import linking
from followersync.models import DailyTotal, Demographics, FollowerSnapshot, InsightsReading
from followersync.selectors.daily_totals import daily_totals, demographics
from followersync.services import insights
from tests.support.factories import consent
from tests.support.sandbox import REDIRECT_URI

pytestmark = pytest.mark.django_db


def link(sandbox, owner, persona: str):
    """Linked as its owner would, with consent to insights."""
    instagram = gateway.from_settings()
    short = instagram.exchange_code(sandbox.code(persona), REDIRECT_URI)
    token = instagram.long_lived(short.access_token)
    account = linking.link_from_oauth(
        owner=owner,
        profile=instagram.me(token.access_token),
        token=token,
        permissions=frozenset({"instagram_business_basic", "instagram_business_manage_insights"}),
    )
    consent(account, Scope.PROFILE, Scope.INSIGHTS)
    return account


@pytest.fixture
def measured(sandbox, alice):
    sandbox.persona("measured.here", followers=400, offset=0)
    return link(sandbox, alice, "measured.here")


def read_all(account) -> int:
    turns = 1
    while insights.read(account.pk):
        turns += 1
    return turns


def test_consent_alone_starts_it_and_the_past_is_filled_as_far_as_it_goes(measured):
    assert InsightsReading.objects.get().next_due_at is not None

    turns = read_all(measured)

    known = DailyTotal.objects.filter(account=measured, gained__isnull=False)
    assert known.count() == 90
    assert turns > 1
    assert insights.read(measured.pk) is False


def test_the_count_of_today_needs_no_consent_to_the_list(measured, sandbox):
    read_all(measured)
    sandbox.clear_requests()
    insights.read(measured.pk)

    today = DailyTotal.objects.get(account=measured, day=clock.now().date())
    assert today.followers == 400
    assert sandbox.count("me", measured.instagram_id) == 0


def test_reading_again_asks_for_the_late_days_only(measured, sandbox):
    read_all(measured)
    sandbox.clear_requests()

    insights.read(measured.pk)

    assert sandbox.count("insights", measured.instagram_id) == 3


def test_an_account_too_small_for_insights_has_gaps_and_no_zeros(sandbox, alice):
    sandbox.persona("small.here", followers=40)
    account = link(sandbox, alice, "small.here")

    read_all(account)

    today = datetime.now(UTC).date()
    points = daily_totals(account, date_from=today - timedelta(days=9), date_to=today)
    assert len(points) == 10
    assert all(p.gained is None and p.lost is None for p in points)
    assert not DailyTotal.objects.filter(gained=0).exists()
    assert demographics(account) == {}


def test_who_the_followers_are_is_kept_and_an_empty_answer_does_not_wipe_it(measured, sandbox):
    read_all(measured)
    found = demographics(measured)

    Demographics.objects.update(read_at=datetime(2020, 1, 1, tzinfo=UTC))
    everybody = [row["id"] for row in sandbox.true_list(measured.instagram_id)]
    sandbox.change(measured.instagram_id, leave=everybody[:350])
    read_all(measured)

    assert set(found) == {"age,gender", "country", "city"}
    assert demographics(measured) == found


def test_the_difference_to_our_list_is_shown(measured):
    at = datetime(2026, 8, 11, 12, tzinfo=UTC)
    FollowerSnapshot.objects.create(
        account=measured, at=at, mode="full", position=0, followers=395, reported=400, complete=True
    )
    DailyTotal.objects.create(account=measured, day=at.date(), followers=400, read_at=at)

    (point,) = daily_totals(measured, date_from=date(2026, 8, 11), date_to=date(2026, 8, 11))

    assert (point.followers, point.listed, point.difference) == (400, 395, 5)


def test_the_count_that_a_sync_read_is_kept_for_its_day(measured, clock):
    FollowerSnapshot.objects.create(
        account=measured, at=clock.moment, mode="count", position=0, followers=0, reported=412
    )

    insights.read(measured.pk)

    assert DailyTotal.objects.get(day=clock.moment.date()).followers == 412


def test_withdrawn_consent_ends_it_at_once(measured, sandbox, alice):
    consents.withdraw(
        account=measured, scope=Scope.INSIGHTS, channel="web", actor=alice, keep_data=True
    )
    sandbox.clear_requests()

    insights.read(measured.pk)

    assert sandbox.count("insights", measured.instagram_id) == 0


def test_a_passing_fault_is_tried_again_and_disconnects_nobody(measured, sandbox, clock):
    sandbox.faults(service_error=1.0)

    insights.read(measured.pk)

    state = InsightsReading.objects.get()
    assert state.error_code == RetryLater.code
    assert state.next_due_at is not None
    measured.refresh_from_db()
    assert measured.state == "active"


def test_a_dead_token_asks_the_member_to_reconnect(measured, sandbox):
    sandbox.revoke(measured.instagram_id, reason="190_463_expired")

    insights.read(measured.pk)

    measured.refresh_from_db()
    assert measured.state == "needs_reconnect"
    assert InsightsReading.objects.get().next_due_at is None


def test_due_accounts_are_enqueued_once(measured):
    InsightsReading.objects.update(next_due_at=clock.now())

    assert (insights.tick(), insights.tick()) == (1, 0)


def test_consent_rings_at_once_and_does_not_wait_for_the_next_tick(sandbox, alice, work_off):
    sandbox.persona("measured.here", followers=400, offset=0)

    done = work_off(
        lambda: link(sandbox, alice, "measured.here"), "followersync.tasks.read_insights"
    )

    assert done == 1
    assert DailyTotal.objects.filter(gained__isnull=False).exists()
    assert insights.tick() == 0
