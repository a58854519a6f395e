"""A member must not read that people left whom Instagram's list merely stopped showing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import LinkedAccount, User
from followersync.models import Follower, FollowerChange, SyncSettings
from tests.support import lanes
from tests.support.clock import Clock
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, held, kinds, run_to_end, truth


class Life:
    """One account that syncs when due, while the sandbox's clock goes along with ours."""

    def __init__(self, sandbox: Sandbox, account: LinkedAccount, clock: Clock) -> None:
        self.sandbox, self.account, self.clock = sandbox, account, clock
        self.shown = str(account.instagram_id)
        #: Every key that the list ever lost while it followed, with the time of its loss.
        self.false: list[tuple[int, datetime]] = []
        #: Whether the list was called complete, after each sync.
        self.claims: list[bool] = []
        self._judged = 0

    def days(self, days: float, *, newcomers: int = 0) -> None:
        """So many days; `newcomers` follow at the beginning of each."""
        end = self.clock.moment + timedelta(days=days)
        next_day = self.clock.moment
        while self.clock.moment < end:
            if newcomers and self.clock.moment >= next_day:
                self.sandbox.change(self.shown, follow=newcomers)
                next_day += timedelta(days=1)
            self._sync()
            self._judge()

    def settings(self) -> SyncSettings:
        return SyncSettings.objects.get(pk=self.account.pk)

    def _sync(self) -> None:
        run = run_to_end(self.account)
        until = run.not_before if run.is_open else self.settings().next_due_at
        assert until is not None, run.error_code
        if until > self.clock.moment:
            self.sandbox.advance((until - self.clock.moment).total_seconds())
            self.clock.moment = until

    def _judge(self) -> None:
        """Whoever was lost since the last sync must not follow now: nobody returns here."""
        true = {key for key, _username in truth(self.sandbox, self.account)}
        lost = FollowerChange.objects.filter(
            account_id=self.account.pk, kind="lost", position__gt=self._judged
        )
        for change in lost:
            self._judged = change.position
            if change.key in true:
                self.false.append((change.key, change.at))
        self.claims.append(self.settings().complete)


@pytest.fixture
def life(sandbox: Sandbox, alice: User, clock: Clock):
    """life(size) -> an account with so many followers, whose count is exact."""

    def make(size: int) -> Life:
        sandbox.persona("hiding.one", followers=size, offset=0)
        return Life(sandbox, connect(sandbox, alice, "hiding.one"), clock)

    return make


# --- Only the newest N are shown ------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "cap", "from_start"), [(300, 250, False), (300, 250, True), (300, 300, False)]
)
def test_nobody_is_lost_because_newcomers_push_them_past_a_cap(
    sandbox: Sandbox, life, size: int, cap: int, from_start: bool
) -> None:
    lived: Life = life(size)
    if from_start:
        sandbox.faults(lived.shown, cap_rows=cap)
    lived.days(8)
    sandbox.faults(lived.shown, cap_rows=cap)

    lived.days(30, newcomers=1)

    assert lived.false == []
    # More than 5 % of those counted are not shown: in the last days it is known not to be whole.
    assert lived.settings().complete is False


@pytest.mark.slow
def test_a_list_that_is_capped_from_the_start_never_counts_as_complete(
    sandbox: Sandbox, life
) -> None:
    lived: Life = life(300)
    sandbox.faults(lived.shown, cap_rows=250)

    lived.days(20)

    assert not any(lived.claims)
    assert Follower.objects.filter(account_id=lived.account.pk).count() == 250


@pytest.mark.slow
def test_when_a_cap_ends_everybody_is_held_again_and_nobody_was_ever_lost(
    sandbox: Sandbox, life
) -> None:
    lived: Life = life(120)
    lived.days(4)
    sandbox.faults(lived.shown, cap_rows=100)
    lived.days(14, newcomers=1)

    sandbox.faults(lived.shown)
    lived.days(14)

    assert lived.false == []
    assert held(lived.account) == truth(sandbox, lived.account)
    assert lived.settings().complete is True


@pytest.mark.slow
def test_who_really_leaves_a_capped_list_is_told_once_the_cap_is_over(
    sandbox: Sandbox, life
) -> None:
    lived: Life = life(120)
    lived.days(4)
    sandbox.faults(lived.shown, cap_rows=100)
    oldest = sandbox.true_list(lived.shown)[-5]["id"]
    lived.days(3)
    sandbox.change(lived.shown, leave=[oldest])
    lived.days(3)

    sandbox.faults(lived.shown)
    lived.days(14)

    assert lived.false == []
    assert kinds(lived.account).get("lost") == [int(oldest)]


# --- Others are left out each time ----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.01, 0.03, 0.05])
def test_nobody_is_lost_where_each_load_leaves_out_others(
    sandbox: Sandbox, life, share: float
) -> None:
    lived: Life = life(400)
    lived.days(4)
    sandbox.faults(lived.shown, omit_rows=share)

    lived.days(10)

    assert len(truth(sandbox, lived.account)) == 400
    assert kinds(lived.account).get("lost", []) == []


# --- The same people are missing for days ---------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        {"omit_same": {"share": 0.05, "hours": 24}},
        {"omit_block": {"rows": 20, "hours": 24}},
        {"stale": {"share": 0.3, "hours": 24}},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_nobody_is_lost_who_comes_back_to_their_old_place_within_a_day(
    sandbox: Sandbox, life, fault: dict[str, dict[str, float]]
) -> None:
    """Not the first time it happens, and not the second, when a whole list is known already."""
    lived: Life = life(200)
    lived.days(4)
    for _time in range(3):
        sandbox.change(lived.shown, follow=3)
        sandbox.faults(lived.shown, **fault)
        lived.days(1.5)
        sandbox.faults(lived.shown)
        lived.days(1)

    lived.days(10)

    assert lived.false == []
    assert held(lived.account) == truth(sandbox, lived.account)


@pytest.mark.parametrize(
    "order", lanes.first(["relevance", "fixed_random", "reversed", "random_each_time"])
)
def test_nobody_is_lost_by_another_order(sandbox: Sandbox, life, order: str) -> None:
    lived: Life = life(200)
    lived.days(4)
    for _time in range(3):
        sandbox.faults(lived.shown, order=order)
        lived.days(1)
        sandbox.faults(lived.shown)
        lived.days(1)

    assert lived.false == []


@pytest.mark.slow
def test_a_purge_is_told_and_the_rest_stays(sandbox: Sandbox, life) -> None:
    lived: Life = life(300)
    lived.days(4)
    gone = {int(key) for key in sandbox.change(lived.shown, leave=60)["left"]}

    lived.days(14)

    assert set(kinds(lived.account)["lost"]) == gone
    assert held(lived.account) == truth(sandbox, lived.account)
