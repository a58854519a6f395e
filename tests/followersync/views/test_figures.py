"""The tables behind the drawings: who cannot see a drawing, or wants the numbers, opens them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import clock
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from followersync.models import DailyTotal, FollowerSnapshot, SyncRun, SyncSettings
from tests.support.factories import consent as allow
from tests.support.members import sign_in

DAYS = 40


@pytest.fixture
def watched(followed: LinkedAccount) -> LinkedAccount:
    """Six weeks of looks, four a day; on the last day 1,204 are listed and 1,210 counted."""
    allow(followed, Scope.PROFILE)
    allow(followed, Scope.INSIGHTS)
    begun = clock.now() - timedelta(days=DAYS)
    FollowerSnapshot.objects.bulk_create(
        FollowerSnapshot(
            account=followed,
            at=begun + timedelta(hours=6 * number),
            mode="head",
            position=number,
            followers=1204 - 4 * DAYS + number + 1,
            reported=1210,
            complete=True,
            evidence={"pages": 2, "people": 1000},
        )
        for number in range(4 * DAYS)
    )
    SyncRun.objects.bulk_create(
        SyncRun(
            account=followed,
            trigger="schedule",
            state="succeeded",
            created_at=begun,
            finished_at=begun,
        )
        for _ in range(8)
    )
    DailyTotal.objects.bulk_create(
        DailyTotal(
            account=followed, day=(begun + timedelta(days=n)).date(), gained=3, read_at=begun
        )
        for n in range(DAYS)
    )
    SyncSettings.objects.filter(pk=followed.pk).update(
        baseline_at=begun, last_synced_at=clock.now(), followers_count=1204, complete=True
    )
    return followed


@pytest.mark.parametrize("table", ["growth", "insights"])
def test_a_table_has_a_page_of_its_own_for_whoever_has_no_script(
    as_alice: Client, watched: LinkedAccount, table: str
) -> None:
    page = as_alice.get(reverse("account", args=[watched.pk])).content.decode()
    text = as_alice.get(reverse(table, args=[watched.pk])).content.decode()

    assert f'<a href="{reverse(table, args=[watched.pk])}">' in page
    assert "<h1>" in text
    assert text.count('<th scope="row">') >= DAYS
    assert '<td class="number">1,204</td>' in text


@pytest.mark.parametrize("table", ["growth", "insights"])
def test_a_script_gets_the_table_alone(
    as_alice: Client, watched: LinkedAccount, table: str
) -> None:
    text = as_alice.get(
        reverse(table, args=[watched.pk]), headers={"HX-Request": "true"}
    ).content.decode()

    assert "<h1>" not in text
    assert '<td class="number">1,204</td>' in text


@pytest.mark.parametrize("table", ["growth", "insights"])
def test_a_stranger_finds_no_table(client: Client, watched: LinkedAccount, bob: User, table: str):
    assert sign_in(client, bob).get(reverse(table, args=[watched.pk])).status_code == 404


def test_the_last_look_of_a_day_is_the_day(as_alice: Client, watched: LinkedAccount) -> None:
    """Else the line would show what was corrected on the same day."""
    day = clock.now() - timedelta(days=20)
    looks = FollowerSnapshot.objects.filter(account=watched, at__date=day.date()).order_by("at")
    looks.exclude(pk=looks.last().pk).update(followers=777_777)

    text = as_alice.get(reverse("growth", args=[watched.pk])).content.decode()

    assert "777,777" not in text


def test_the_overview_is_read_in_a_few_statements(as_alice: Client, watched: LinkedAccount) -> None:
    """It is the page that members look at most, and a syncing browser asks for it every 2 s."""
    address = reverse("account", args=[watched.pk])
    as_alice.get(address)

    with CaptureQueriesContext(
        connection,
    ) as sent:
        assert as_alice.get(address).status_code == 200

    assert len(sent) <= 17, [each["sql"][:90] for each in sent]
    assert not [each for each in sent if each["sql"].startswith(("UPDATE", "INSERT"))]
