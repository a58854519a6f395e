"""What a member sees of an account, and what it does when they press a button."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import clock
from accounts.models import LinkedAccount
from accounts.scopes import Scope
from accounts.services import consent, linking, quotas
from followersync.models import Absence, FollowerSnapshot, SyncRun, SyncSettings
from followersync.selectors.unconfirmed import unconfirmed
from tests.support.clock import Clock
from tests.support.factories import consent as allow
from tests.support.sync import write

PEOPLE = [(100 + n, f"person.{n:03}") for n in range(60)]


@pytest.fixture
def listed(followed: LinkedAccount) -> LinkedAccount:
    """Alice's account with sixty people, as after a sync that found all to be the same.

    She allows showing Instagram's own count, too.
    """
    allow(followed, Scope.PROFILE)
    write(followed, people=PEOPLE)
    SyncSettings.objects.filter(pk=followed.pk).update(
        baseline_at=clock.now() - timedelta(days=1),
        last_synced_at=clock.now() - timedelta(minutes=3),
        next_due_at=clock.now() + timedelta(hours=1),
        reported=60,
        complete=True,
        followers_count=60,
    )
    return followed


def page(client: Client, name: str, account: LinkedAccount, **query: str) -> str:
    return client.get(reverse(name, args=[account.pk]), query).content.decode()


def test_it_opens_with_the_truth(as_alice: Client, listed: LinkedAccount) -> None:
    text = page(as_alice, "account", listed)

    assert "Your 60 followers here are the same as on Instagram, checked 3 minutes ago." in text


def test_what_a_doubt_waits_for_is_told_with_a_date_to_come(
    as_alice: Client, listed: LinkedAccount, clock: Clock, settings: Settings
) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = "followers"
    since = clock.moment - timedelta(days=20)
    Absence.objects.create(
        account_id=listed.pk,
        key=105,
        unconfirmed_since=since,
        looks=3,
        witnessed=2,
        whole=3,
        last_at=since + timedelta(days=1),
    )
    due = clock.moment + timedelta(hours=1)
    SyncSettings.objects.filter(pk=listed.pk).update(next_due_at=due)

    doubts = unconfirmed(listed)

    assert doubts.people[0].outlook.at == int((due + timedelta(hours=30)).timestamp())
    assert "Instagram still counts them" in page(as_alice, "account", listed)


def test_where_exports_alone_show_the_list_the_next_one_is_waited_for(
    as_alice: Client, listed: LinkedAccount, settings: Settings
) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = ""
    since = clock.now() - timedelta(days=3)
    Absence.objects.create(
        account_id=listed.pk, key=105, unconfirmed_since=since, looks=1, witnessed=1, last_at=since
    )

    text = page(as_alice, "account", listed)

    assert "Your next whole export, made after" in text
    assert "Instagram still counts them" not in text


def test_who_is_missing_is_named_with_the_time(as_alice: Client, listed: LinkedAccount) -> None:
    since = clock.now() - timedelta(days=3)
    Absence.objects.create(account_id=listed.pk, key=105, unconfirmed_since=since, last_at=since)

    text = page(as_alice, "account", listed)

    assert "Of your 60 followers here, 1 is not in Instagram" in text
    assert "@person.005" in text
    assert f"not in your list since {since.day} {since:%b %Y}, {since:%H:%M}" in text


def test_a_difference_to_instagrams_count_is_explained(
    as_alice: Client, listed: LinkedAccount
) -> None:
    SyncSettings.objects.filter(pk=listed.pk).update(reported=65)

    assert "A count alone is never taken for a loss." in page(as_alice, "account", listed)


def test_sync_now_opens_a_run_and_the_page_watches_it(
    as_alice: Client, listed: LinkedAccount
) -> None:
    answer = as_alice.post(reverse("account-sync", args=[listed.pk]), follow=True)

    text = answer.content.decode()
    assert SyncRun.objects.get(account=listed).trigger == "member"
    assert 'hx-trigger="every 2s"' in text
    assert "Sync now" not in text


def test_sync_now_twice_keeps_one_run_and_says_so(as_alice: Client, listed: LinkedAccount) -> None:
    as_alice.post(reverse("account-sync", args=[listed.pk]))

    answer = as_alice.post(reverse("account-sync", args=[listed.pk]), follow=True)

    assert SyncRun.objects.filter(account=listed).count() == 1
    assert "under way already" in answer.content.decode()


def test_the_watching_stops_when_the_run_has_ended(as_alice: Client, listed: LinkedAccount) -> None:
    text = page(as_alice, "account-progress", listed)

    assert "hx-trigger" not in text
    assert "The sync has ended." in text
    assert 'hx-swap-oob="true"' in text


def test_pause_and_go_on(as_alice: Client, listed: LinkedAccount) -> None:
    as_alice.post(reverse("account-pause", args=[listed.pk]))
    listed.refresh_from_db()
    assert listed.state == "paused"
    assert "Paused" in page(as_alice, "account", listed)

    as_alice.post(reverse("account-resume", args=[listed.pk]))
    listed.refresh_from_db()
    assert listed.state == "active"


def test_pausing_what_is_paused_changes_nothing_and_says_so(
    as_alice: Client, listed: LinkedAccount
) -> None:
    linking.pause(account=listed, actor=listed.owner)

    answer = as_alice.post(reverse("account-pause", args=[listed.pk]), follow=True)

    assert "This account is paused already." in answer.content.decode()


@pytest.mark.parametrize("minutes", ["", "1", "99999999", "-5", "six", "²"])
def test_an_interval_out_of_bounds_changes_nothing(
    minutes: str, as_alice: Client, listed: LinkedAccount
) -> None:
    answer = as_alice.post(
        reverse("account-interval", args=[listed.pk]), {"interval_minutes": minutes}, follow=True
    )

    assert 'class="notice error"' in answer.content.decode()
    assert SyncSettings.objects.get(pk=listed.pk).interval_minutes == 360


def test_a_chosen_interval_is_kept(as_alice: Client, listed: LinkedAccount) -> None:
    as_alice.post(reverse("account-interval", args=[listed.pk]), {"interval_minutes": "60"})

    assert SyncSettings.objects.get(pk=listed.pk).interval_minutes == 60
    assert "every hour" in page(as_alice, "account-settings", listed)


def test_a_dead_connection_leads_to_linking_this_very_account(
    as_alice: Client, listed: LinkedAccount
) -> None:
    linking.mark_needs_reconnect(account=listed, reason="expired")

    assert f"/link/?account={listed.pk}" in page(as_alice, "account", listed)
    assert f"/link/?account={listed.pk}" in as_alice.get(reverse("accounts")).content.decode()


def test_without_the_consent_no_sync_is_offered(as_alice: Client, listed: LinkedAccount) -> None:
    for scope in (Scope.FOLLOWERS, Scope.PROFILE):
        consent.withdraw(
            account=listed, scope=scope, channel="web", actor=listed.owner, keep_data=True
        )

    text = page(as_alice, "account", listed)

    assert "You have not allowed us to read your followers" in text
    assert "Sync now" not in text


def test_a_site_without_a_list_endpoint_says_so(
    as_alice: Client, listed: LinkedAccount, settings: Settings
) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = ""

    text = page(as_alice, "account", listed)

    assert "counts come by themselves, names by your export" in text


def test_my_accounts_shows_mine_and_nobody_elses(as_alice: Client, listed: LinkedAccount) -> None:
    text = as_alice.get(reverse("accounts")).content.decode()

    assert "@alice.ig" in text
    assert text.count('class="truth ') == 1


def test_times_are_shown_in_the_members_zone_and_language(
    as_alice: Client, listed: LinkedAccount, clock: Clock
) -> None:
    owner = listed.owner
    owner.time_zone, owner.language = "Asia/Kathmandu", "de"
    owner.save()

    text = page(as_alice, "account", listed)

    assert "Deine 60 Follower hier sind dieselben wie auf Instagram" in text
    due = SyncSettings.objects.get(pk=listed.pk).next_due_at
    assert due is not None
    assert f"{due + timedelta(hours=5, minutes=45):%H:%M}" in text
    assert '<html lang="de">' in text


def test_why_a_sync_failed_is_told_in_the_members_language(
    as_alice: Client, listed: LinkedAccount
) -> None:
    listed.owner.language = "de"
    listed.owner.save()
    now = clock.now()
    SyncRun.objects.create(
        account=listed,
        trigger="schedule",
        state="failed",
        created_at=now,
        finished_at=now,
        error_code="wrong_shape",
        error_detail="Instagram answered in a form that we do not know.",
    )

    text = page(as_alice, "account", listed)

    assert "Instagram hat in einer Form geantwortet, die wir nicht kennen." in text


def test_a_run_that_waits_for_hours_is_asked_after_seldom(
    as_alice: Client, listed: LinkedAccount
) -> None:
    SyncRun.objects.create(
        account=listed, trigger="schedule", state="waiting", created_at=clock.now()
    )

    assert 'hx-trigger="every 30s"' in page(as_alice, "account", listed)


def test_syncing_too_often_is_refused_in_words_with_the_time(
    as_alice: Client, listed: LinkedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(quotas.QUOTAS, "sync", quotas.Quota(1, timedelta(hours=1)))
    address = reverse("account-sync", args=[listed.pk])
    as_alice.post(address)
    SyncRun.objects.filter(account=listed).delete()

    text = as_alice.post(address, follow=True).content.decode()

    assert "You have done this too often" in text
    assert "You can sync again at" in text
    assert not SyncRun.objects.filter(account=listed).exists()


def test_who_allows_the_count_alone_sees_it_and_is_told_that_no_list_is_read(
    as_alice: Client, account: LinkedAccount
) -> None:
    allow(account, Scope.PROFILE)
    SyncRun.objects.all().delete()
    SyncSettings.objects.filter(pk=account.pk).update(
        reported=1204, last_synced_at=clock.now() - timedelta(minutes=3)
    )

    text = page(as_alice, "account", account)

    assert "Instagram counts 1,204 followers." in text
    assert "You allow the number that Instagram counts and not the list" in text
    assert 'id="sync-now"' in text
    assert "Your followers are about to be read" not in text


def test_a_list_without_the_consent_to_the_count_says_nothing_of_it(
    as_alice: Client, followed: LinkedAccount
) -> None:
    write(followed, people=PEOPLE)
    SyncSettings.objects.filter(pk=followed.pk).update(
        baseline_at=clock.now(), last_synced_at=clock.now(), reported=7654, followers_count=60
    )
    SyncRun.objects.create(
        account=followed, trigger="member", state="running", mode="full",
        created_at=clock.now(), progress={"seen": 30, "page": 1},
    )  # fmt: skip

    text = page(as_alice, "account", followed)

    assert "60 followers are listed here; whether that is all is not known yet." in text
    assert "list: 30 so far." in text
    assert "7,654" not in text


def test_what_is_not_known_of_a_day_is_a_dash(as_alice: Client, followed: LinkedAccount) -> None:
    for minutes in (20, 10):
        FollowerSnapshot.objects.create(
            account=followed, at=clock.now() - timedelta(minutes=minutes), mode="full",
            position=0, followers=60, reported=None,
        )  # fmt: skip

    text = page(as_alice, "growth", followed)

    assert '<td class="number">60</td><td class="number">–</td>' in text
