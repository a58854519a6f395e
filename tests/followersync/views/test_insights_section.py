"""Days of which nothing is known are gaps; drawn as 0 they would tell of a standstill."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import consent as consents
from followersync.models import DailyTotal, Demographics, FollowerSnapshot, InsightsReading
from followersync.selectors.daily_totals import DailyPoint
from followersync.views.bars import BOTTOM, LEFT, RIGHT, TOP, draw
from tests.support.factories import consent

START = date(2026, 5, 1)


def days(*totals: tuple[int | None, int | None]) -> list[DailyPoint]:
    return [
        DailyPoint(START + timedelta(days=n), gained, lost, None, None)
        for n, (gained, lost) in enumerate(totals)
    ]


def test_nothing_known_is_nothing_drawn() -> None:
    assert draw(days((None, None), (None, None))) is None


def test_an_unknown_day_is_a_gap_and_a_known_0_is_none() -> None:
    bars = draw(days((5, 2), (None, None), (0, 0), (1, None)))

    assert bars is not None
    assert (len(bars.gained), len(bars.lost), len(bars.gaps)) == (2, 1, 1)


def test_bars_stay_in_their_box_and_keep_their_proportion() -> None:
    bars = draw(days((10, 5), (5, 0)))

    assert bars is not None
    for bar in bars.gained + bars.lost:
        assert LEFT <= bar.x <= bar.x + bar.width <= RIGHT
        assert TOP <= bar.y <= bar.y + bar.height <= BOTTOM + 0.1
    assert bars.gained[0].height == pytest.approx(2 * bars.gained[1].height, abs=0.2)
    assert bars.lost[0].y == bars.zero


@pytest.fixture
def measured(account: LinkedAccount) -> LinkedAccount:
    """Three days ago 7 followed and 2 left; of yesterday only the count is known."""
    consent(account, Scope.INSIGHTS)
    now = clock.now()
    today = now.astimezone(UTC).date()
    DailyTotal.objects.create(
        account=account, day=today - timedelta(days=3), gained=7, lost=2, read_at=now
    )
    DailyTotal.objects.create(account=account, day=today, followers=1204, read_at=now)
    Demographics.objects.create(
        account=account, breakdown="country", values=[[["DE"], 731]], read_at=now
    )
    return account


def page(client: Client, account: LinkedAccount) -> str:
    return client.get(reverse("account", args=[account.pk])).content.decode()


def test_the_daily_figures_are_shown_with_gaps_as_gaps(
    as_alice: Client, measured: LinkedAccount
) -> None:
    text = page(as_alice, measured)

    assert "7 followed and 2 left since" in text
    assert "Of 3 days nothing is known." in text
    assert "1,204" in as_alice.get(reverse("insights", args=[measured.pk])).content.decode()
    assert '<th scope="row">DE</th><td class="number">731</td>' in text


def test_a_difference_to_the_list_is_shown_and_explained(
    as_alice: Client, measured: LinkedAccount
) -> None:
    FollowerSnapshot.objects.create(
        account=measured,
        at=clock.now(),
        followers=1200,
        reported=1204,
        complete=True,
        mode="full",
        position=0,
    )

    text = page(as_alice, measured)

    assert "Instagram counts 1,204, the list holds 1,200" in text
    assert "people whom no list shows" in text


def test_without_consent_there_is_no_such_section(
    as_alice: Client, alice: User, measured: LinkedAccount
) -> None:
    consents.withdraw(
        account=measured, scope=Scope.INSIGHTS, channel="web", actor=alice, keep_data=True
    )

    assert "Instagram's daily figures" not in page(as_alice, measured)


def test_what_hinders_the_reading_is_said_in_words(
    as_alice: Client, measured: LinkedAccount
) -> None:
    InsightsReading.objects.update_or_create(
        account=measured, defaults={"error_code": "permission_missing"}
    )

    assert "Instagram does not permit this any more" in page(as_alice, measured)


def test_nobody_else_sees_them(client: Client, bob: User, measured: LinkedAccount) -> None:
    address = reverse("account", args=[measured.pk])
    assert client.get(address).status_code == 302
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(address).status_code == 404
