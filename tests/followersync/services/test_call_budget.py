from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.errors import WaitUntil
from accounts.instagram.usage import Percentages, Usage
from accounts.models import LinkedAccount, User
from followersync import selectors
from followersync.models import FullScan, SyncSettings
from followersync.services import call_budget
from followersync.sources.edge import EdgeSource
from tests.support.clock import Clock
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, held, linked, run_to_end, sync_when_due, truth


def test_an_hour_has_so_many_calls_and_no_more_whoever_makes_them(
    followed: LinkedAccount, clock: Clock, settings
) -> None:
    settings.INSTAGRAM_CALLS_PER_HOUR = 30
    started = clock()
    assert call_budget.take(followed.pk, 20) == 20
    clock.advance(minutes=10)
    assert call_budget.take(followed.pk, 20) == 10

    with pytest.raises(WaitUntil) as refused:
        call_budget.take(followed.pk, 20)

    assert refused.value.at == started + timedelta(hours=1)
    clock.moment = refused.value.at
    assert call_budget.take(followed.pk, 20) == 20


def test_what_was_not_used_is_given_back(followed: LinkedAccount, clock: Clock, settings) -> None:
    settings.INSTAGRAM_CALLS_PER_HOUR = 30
    call_budget.take(followed.pk, 20)

    call_budget.give_back(followed.pk, 18)

    assert selectors.overview(followed).calls_left == 28


def test_instagrams_own_figures_hold_an_account_back(followed: LinkedAccount, clock: Clock) -> None:
    call_budget.note(followed.pk, Usage(business=Percentages(call_count=100), regain_minutes=17))

    with pytest.raises(WaitUntil) as refused:
        call_budget.take(followed.pk, 1)

    assert refused.value.at == clock() + timedelta(minutes=17)
    assert selectors.overview(followed).waiting_until == refused.value.at


def test_the_apps_limit_holds_everybody_back_and_an_accounts_limit_only_that_one(
    followed: LinkedAccount, bob: User, clock: Clock
) -> None:
    bobs = linked(bob)
    call_budget.block(followed.pk, clock() + timedelta(minutes=5), Usage())
    assert call_budget.take(bobs.pk, 1) == 1

    full = Usage(app=Percentages(total_time=100))
    call_budget.block(followed.pk, clock() + timedelta(minutes=5), full)

    with pytest.raises(WaitUntil):
        call_budget.take(bobs.pk, 1)


def test_a_scan_that_needs_several_hours_goes_on_hour_by_hour(
    sandbox: Sandbox, alice: User, clock: Clock, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INSTAGRAM_CALLS_PER_HOUR = 20
    monkeypatch.setattr(EdgeSource, "page_limit", 100)
    sandbox.persona("noether", followers=4_500)
    account = connect(sandbox, alice, "noether")

    runs = sync_when_due(account, clock, syncs=1)
    assert len(held(account)) < 4_500
    assert FullScan.objects.get().closed_at is None
    while not SyncSettings.objects.get(pk=account.pk).complete:
        runs += sync_when_due(account, clock, syncs=1)
        assert len(runs) < 10

    assert held(account) == truth(sandbox, account)
    assert all(run.calls <= 21 for run in runs)


def test_a_limit_at_instagram_is_kept_by_all_workers(
    sandbox: Sandbox, alice: User, clock: Clock
) -> None:
    account = connect(sandbox, alice, "ada")
    sandbox.script([{"error": "4_app_limit"}], account=account.instagram_id, route="me")

    run = run_to_end(account)

    assert run.state == "waiting"
    with pytest.raises(WaitUntil):
        call_budget.take(account.pk, 1)
