"""A member's account under random fire: lives, faults, kills, clocks, leaving and coming back.

Hypothesis draws the story; the sandbox, over HTTP, knows the truth; after each step everything
that architecture.md promises of lists and feeds must hold, and in the end all must come right.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.instagram.sandbox.fault_kinds import SINGLE
from accounts.models import User
from accounts.scopes import Scope
from accounts.services import consent as consents
from accounts.services import linking
from followersync.models import SyncSettings
from followersync.services.sync import lease, runs
from followersync.services.sync.settings import set_interval
from followersync.sources.edge import EdgeSource
from tests.support.clock import Clock
from tests.support.fire import Observer, dying_after
from tests.support.sandbox import Sandbox
from tests.support.stage import LEASE_OVER, LONGEST_TROUBLE, PERSONA, After, Stage
from tests.support.sync import connect, truth

LIVES = ("follow", "leave", "return", "rename", "deactivate", "reactivate")
FAULTS = tuple(name for name in SINGLE if name != "slow")
PEOPLE = (0, 1, 3, 8, 30, 60)
DAILY = 24 * 60


class UnderFire(Stage):
    """What may happen, in any order."""

    @initialize(people=st.sampled_from(PEOPLE), offset=st.integers(-1, 3))
    def link(self, people: int, offset: int) -> None:
        self.sandbox.call("POST", "reset/", {"seed": 1, "personae": {}})
        self.sandbox.persona(PERSONA, followers=people, offset=offset)
        self.account = connect(self.sandbox, self.alice, PERSONA)
        set_interval(account=self.account, minutes=DAILY)
        SyncSettings.objects.filter(pk=self.account.pk).update(next_due_at=self.clock.moment)
        self.observer = Observer(self.sandbox, self.account)

    # What people do

    @rule(verb=st.sampled_from(LIVES), count=st.integers(1, 3))
    def live(self, verb: str, count: int) -> None:
        self.sandbox.change(self.instagram_id, **{verb: count})
        self.observer.disturb()

    @rule(which=st.integers(0, 99), name=st.sampled_from(["taken.name", "other.name"]))
    def take_a_name_that_somebody_may_have_given_up(self, which: int, name: str) -> None:
        people = sorted(truth(self.sandbox, self.live_account))
        if people and name not in {username for _key, username in people}:
            self.sandbox.rename(self.instagram_id, str(people[which % len(people)][0]), name)
            self.observer.disturb()

    @rule(which=st.integers(0, 99), calls=st.integers(0, 4), back=st.booleans())
    def leave_in_the_middle_of_a_scan(self, which: int, calls: int, back: bool) -> None:
        people = sorted(key for key, _name in truth(self.sandbox, self.live_account))
        if not people:
            return
        person = [str(people[which % len(people)])]
        answers = [{}] * calls + [{"change": {"leave": person}}]
        self.sandbox.script(
            answers + ([{"change": {"return": person}}] if back else []),
            account=self.instagram_id,
            route="followers",
        )
        self.observer.disturb()
        self.sync("member")
        left = self.sandbox.call("PUT", "script/", {"answers": []})["left"]
        self.sandbox.call("DELETE", "script/")
        if left <= int(back):
            self.observer.stepped_out(person)

    # What goes wrong on the way

    @precondition(lambda self: self.rested or self.clock.moment < self.trouble_until)
    @rule(name=st.sampled_from(FAULTS), probability=st.sampled_from([0.1, 0.4, 1.0]))
    def fault(self, name: str, probability: float) -> None:
        if self.rested:
            self.rested, self.trouble_until = False, self.clock.moment + LONGEST_TROUBLE
        self.faults[name] = probability
        self.sandbox.faults(**self.faults)
        self.observer.disturb()

    @rule()
    def it_is_calm(self) -> None:
        self.calm()

    # How time passes, and who works

    @rule(hours=st.integers(1, 72))
    def wait(self, hours: int) -> None:
        self.pass_time(3600 * hours)

    @rule(seconds=st.integers(1, 300))
    def the_database_clock_is_set_back(self, seconds: int) -> None:
        self.clock.advance(seconds=-seconds)

    @rule(trigger=st.sampled_from(["member", "webhook", "schedule"]))
    def sync(self, trigger: str) -> None:
        run = self.open_run(trigger)
        if run is not None:
            self.work(run)

    @rule()
    def something_falls_due(self) -> None:
        self.fall_due()

    @rule(statements=st.integers(1, 90))
    def kill_a_worker(self, statements: int) -> None:
        run = self.open_run("schedule")
        if run is not None:
            with dying_after(statements) as death:
                self.work(run)
            if death.dead:
                assert runs.advance(run.pk) is False or not self.is_running(run)
                self.pass_time(LEASE_OVER)

    @rule(steps=st.integers(1, 6), again=st.integers(1, 60))
    def two_workers_with_one_run(self, steps: int, again: int) -> None:
        """The first is taken for dead and is not; the second goes on, and may die itself."""

        def take_over() -> None:
            self.pass_time(LEASE_OVER)
            with dying_after(again):
                self.work(run)

        run = self.open_run("member")
        if run is not None:
            runs.advance(run.pk, watch=After(steps, take_over))
            self.pass_time(LEASE_OVER)

    @rule()
    def claim_a_run_and_never_come_back(self) -> None:
        run = self.open_run("schedule")
        if run is not None and lease.take(run.pk) is not None:
            assert runs.advance(run.pk) is False
            self.pass_time(LEASE_OVER)

    # What the member does

    @rule(steps=st.integers(0, 5))
    def pause(self, steps: int) -> None:
        self.amid_a_run(
            steps, lambda: linking.pause(account=self.live_account, actor=self.alice), "active"
        )

    @rule(steps=st.integers(0, 5), keep=st.booleans())
    def withdraw(self, steps: int, keep: bool) -> None:
        def do() -> None:
            consents.withdraw(
                account=self.live_account,
                scope=Scope.FOLLOWERS,
                channel="web",
                actor=self.alice,
                keep_data=keep,
            )

        if self.consented:
            self.amid_a_run(steps, do, "active")
            if not keep:
                self.erase()

    @rule()
    def the_member_comes_back(self) -> None:
        self.come_back()

    # What holds, always and in the end

    @invariant()
    def all_that_is_promised(self) -> None:
        if self.account is not None:
            self.observer.check()


@pytest.fixture
def stage(
    sandbox: Sandbox, clock: Clock, alice: User, monkeypatch: pytest.MonkeyPatch
) -> type[UnderFire]:
    """Pages of twenty, so that a list of sixty has page ends."""
    monkeypatch.setattr(EdgeSource, "page_limit", 20)
    return type("UnderFire", (UnderFire,), {"sandbox": sandbox, "clock": clock, "alice": alice})


def burn(stage: type[UnderFire], *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        stage,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            # The suite burns the same lives each time; `make fuzz` looks for new ones.
            derandomize="FIRE_EXAMPLES" not in os.environ,
            database=None,
            phases=[Phase.explicit, Phase.generate]
            if os.environ.get("FIRE_UNSHRUNK")
            else list(Phase),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_happens_nobody_is_lost_who_stayed_and_all_comes_right(
    stage: type[UnderFire],
) -> None:
    burn(stage, examples=max(1, settings.default.max_examples // 25), steps=12)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_happens_for_long(stage: type[UnderFire]) -> None:
    burn(stage, examples=int(os.environ.get("FIRE_EXAMPLES", "4")), steps=40)
