"""One fault of Instagram's hits many accounts: what some have seen makes all wait longer."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts import clock as site_clock
from accounts.models import LinkedAccount, User
from followersync.models import FollowerChange, SiteReappearance, SyncSettings
from followersync.selectors.unconfirmed import unconfirmed
from followersync.store import site_reappearances
from tests.support.clock import Clock
from tests.support.factories import MemberFactory
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, linked, run_to_end, without_runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(sandbox: Sandbox, alice: User) -> LinkedAccount:
    sandbox.persona("lovelace", followers=60, offset=0)
    return connect(sandbox, alice, "lovelace")


def came_back(accounts: int, *, hours: int = 20) -> None:
    """So many other accounts in which people were missed for so long and have just come back."""
    for number in range(accounts):
        other = without_runs(linked(MemberFactory(), username=f"other{number}"))
        SyncSettings.objects.filter(pk=other.pk).update(
            last_synced_at=site_clock.now(),
            came_back_at=site_clock.now(),
            came_back_after=hours * 3_600,
            came_back_looks=3,
        )


def pass_time(sandbox: Sandbox, clock: Clock, **delta: float) -> None:
    step = timedelta(**delta)
    sandbox.advance(step.total_seconds())
    clock.moment += step


def days_until_told(sandbox: Sandbox, ada: LinkedAccount, clock: Clock) -> float:
    """Of somebody who leaves now."""
    (gone,) = sandbox.change(str(ada.instagram_id), leave=1)["left"]
    left = clock.moment
    for _ in range(40):
        run_to_end(ada)
        if FollowerChange.objects.filter(account_id=ada.pk, kind="lost", key=int(gone)).exists():
            return (clock.moment - left) / timedelta(days=1)
        pass_time(sandbox, clock, hours=6, minutes=5)
    raise AssertionError("never told")


def ready(sandbox: Sandbox, ada: LinkedAccount, clock: Clock) -> None:
    for _ in range(3):
        run_to_end(ada)
        pass_time(sandbox, clock, hours=6, minutes=5)


def test_while_people_come_back_in_many_accounts_a_loss_here_takes_longer(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    ready(sandbox, ada, clock)
    usual = days_until_told(sandbox, ada, clock)
    came_back(3)
    pass_time(sandbox, clock, minutes=11)

    assert usual < 1 < days_until_told(sandbox, ada, clock)


def test_in_few_accounts_it_is_as_ever(sandbox: Sandbox, ada: LinkedAccount, clock: Clock) -> None:
    ready(sandbox, ada, clock)
    came_back(2)

    assert days_until_told(sandbox, ada, clock) < 1


def test_the_member_and_staff_are_told_why(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock, client, alice: User, stella: User
) -> None:
    ready(sandbox, ada, clock)
    sandbox.change(str(ada.instagram_id), leave=1)
    came_back(3)
    run_to_end(ada)

    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/accounts/{ada.pk}/", headers={"accept-language": "en"}).content.decode()
    assert "In many accounts here people were lately missed for up to 1 day" in page
    client.force_login(stella, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/overview/").content.decode()
    assert "3 accounts" in page
    assert "after 20 hours" in page


def test_it_is_counted_every_ten_minutes_and_forgotten_after_two_days(clock: Clock) -> None:
    assert site_reappearances.count_if_due(clock.moment) == ()
    came_back(3)
    assert site_reappearances.count_if_due(clock.moment) == ()

    clock.moment += site_reappearances.COUNTED_EVERY
    (told,) = site_reappearances.count_if_due(clock.moment)
    assert (told.seconds, told.looks) == (20 * 3_600, 3)

    clock.moment += timedelta(days=2, seconds=1)
    assert site_reappearances.count_if_due(clock.moment) == ()
    assert SiteReappearance.objects.count() == 1


def test_an_account_in_which_people_come_back_says_so(
    sandbox: Sandbox, ada: LinkedAccount, clock: Clock
) -> None:
    ready(sandbox, ada, clock)
    sandbox.faults(str(ada.instagram_id), omit_block={"rows": 3, "hours": 40})
    for _ in range(3):
        run_to_end(ada)
        pass_time(sandbox, clock, hours=6, minutes=5)
    sandbox.faults(str(ada.instagram_id))
    run_to_end(ada)

    settings = SyncSettings.objects.get(pk=ada.pk)
    assert settings.came_back_at is not None
    assert settings.came_back_looks >= 2


@pytest.mark.django_db(transaction=True)
def test_while_one_account_counts_no_other_waits(clock: Clock) -> None:
    """It is counted inside the transaction that judges a whole list, which may take long."""
    SiteReappearance.objects.create(looked_at=clock.moment - timedelta(days=1))
    counted: list[tuple[object, ...]] = []

    def another_account() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '2s'")
                counted.append(site_reappearances.count_if_due(clock.moment))
        finally:
            connection.close()

    with transaction.atomic():
        site_reappearances.count_if_due(clock.moment)
        other = threading.Thread(target=another_account)
        other.start()
        other.join()

    assert counted == [()]


def test_a_page_counts_nothing_itself(sandbox: Sandbox, ada: LinkedAccount, clock: Clock) -> None:
    ready(sandbox, ada, clock)
    SiteReappearance.objects.all().delete()
    sandbox.change(str(ada.instagram_id), leave=1)
    came_back(3)

    assert unconfirmed(ada).site_missed_days == 0
    assert not SiteReappearance.objects.exists()
