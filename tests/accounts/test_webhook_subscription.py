"""Instagram rings when something happens at an account, while its list may be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from accounts import tasks
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import consent, linking, webhook_subscription
from tests.support.sandbox import Sandbox
from tests.support.sync import connect

pytestmark = pytest.mark.django_db

WorkOff = Callable[[Callable[[], object], str], int]
TASK = "accounts.tasks.subscribe"


def calls(sandbox: Sandbox) -> int:
    return sandbox.count("subscribed_apps")


def test_linking_has_instagram_ring_by_itself(
    sandbox: Sandbox, alice: User, work_off: WorkOff
) -> None:
    work_off(lambda: connect(sandbox, alice, "ada"), TASK)

    assert LinkedAccount.objects.get().webhooks_since is not None
    assert calls(sandbox) == 1


def test_without_webhooks_of_the_operators_nothing_is_asked_for(
    sandbox: Sandbox, alice: User, work_off: WorkOff, settings: Settings
) -> None:
    settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN = ""

    assert work_off(lambda: connect(sandbox, alice, "ada"), TASK) == 0

    assert webhook_subscription.due() == []
    assert calls(sandbox) == 0


def test_without_consent_to_the_list_nothing_is_asked_for(
    sandbox: Sandbox, alice: User, work_off: WorkOff
) -> None:
    account = connect(sandbox, alice, "ada")
    consent.withdraw(account=account, scope=Scope.FOLLOWERS, channel="web", actor=alice)

    assert not tasks.subscribe(account.pk)

    assert calls(sandbox) == 0


def test_what_failed_in_passing_is_tried_again_at_night(
    sandbox: Sandbox, alice: User, work_off: WorkOff
) -> None:
    account = connect(sandbox, alice, "ada")
    sandbox.faults(service_error=1.0)
    assert not tasks.subscribe(account.pk)
    sandbox.faults()

    assert work_off(tasks.subscribe_accounts, TASK) == 1

    assert LinkedAccount.objects.get().webhooks_since is not None
    assert webhook_subscription.due() == []


def test_a_second_bell_costs_no_call(sandbox: Sandbox, alice: User) -> None:
    account = connect(sandbox, alice, "ada")
    assert tasks.subscribe(account.pk)

    assert not tasks.subscribe(account.pk)

    assert calls(sandbox) == 1


def test_withdrawing_the_list_takes_the_bell_down(
    sandbox: Sandbox, alice: User, work_off: WorkOff
) -> None:
    account = connect(sandbox, alice, "ada")
    tasks.subscribe(account.pk)

    work_off(
        lambda: consent.withdraw(
            account=account, scope=Scope.FOLLOWERS, channel="web", actor=alice, keep_data=True
        ),
        TASK,
    )

    assert LinkedAccount.objects.get().webhooks_since is None
    assert calls(sandbox) == 2


def test_linking_anew_has_it_asked_for_anew(sandbox: Sandbox, alice: User) -> None:
    account = connect(sandbox, alice, "ada")
    tasks.subscribe(account.pk)
    linking.mark_needs_reconnect(account=account, reason="expired")

    again = connect(sandbox, alice, "ada")

    assert webhook_subscription.due() == [again.pk]


def test_a_member_who_removed_us_at_instagram_is_unlinked(sandbox: Sandbox, alice: User) -> None:
    account = connect(sandbox, alice, "ada")
    sandbox.revoke(account.instagram_id or "")

    tasks.subscribe(account.pk)

    account.refresh_from_db()
    assert account.state == "unlinked"
