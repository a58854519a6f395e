"""The stage of the randomized test: one account, its sandbox, its clock, its workers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine

from accounts import tasks
from accounts.instagram import gateway
from accounts.models import DeletionRequest, LinkedAccount, User
from accounts.scopes import Scope
from accounts.selectors import consent_in_force
from accounts.services import linking, tokens
from followersync.errors import SyncRunning
from followersync.models import Absence, SyncRun, SyncSettings
from followersync.services.sync import dispatcher, lease
from followersync.services.sync import runs as sync
from tests.support.clock import Clock
from tests.support.factories import consent
from tests.support.sandbox import REDIRECT_URI, Sandbox
from tests.support.sync import held, truth

PERSONA = "under.fire"
# A list end that is withheld for longer than the slow rule waits cannot be told from a loss.
LONGEST_TROUBLE = timedelta(days=5)
# The slow rule takes at least 14 days.
PATIENCE = timedelta(days=21)
LEASE_OVER = lease.LEASE.total_seconds() + 1


class After:
    """A watcher that does something once, after so many steps of a run."""

    def __init__(self, steps: int, action: Callable[[], object]) -> None:
        self.steps = steps
        self.action = action
        self.happened = False

    def __call__(self, _progress: object) -> None:
        self.steps -= 1
        if self.steps == 0:
            self.happened = True
            self.action()


class Stage(RuleBasedStateMachine):
    """One account. Each example is a transaction that is rolled back; in the end all is right."""

    sandbox: Sandbox
    clock: Clock
    alice: User

    def __init__(self) -> None:
        super().__init__()
        self.begin = self.clock.moment
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.faults: dict[str, float] = {}
        self.trouble_until = self.begin
        self.rested = True
        self.account: LinkedAccount | None = None

    def calm(self) -> None:
        """Nothing goes wrong on the way any more."""
        self.faults.clear()
        self.sandbox.faults()
        self.observer.disturb()

    def come_back(self) -> None:
        """Resume, consent and reconnect, whatever is needed."""
        if self.live_account.state == "needs_reconnect":
            self.calm()
            self.reconnect()
        if self.live_account.state == "paused":
            linking.resume(account=self.live_account, actor=self.alice)
        if not self.consented:
            consent(self.live_account, Scope.FOLLOWERS)

    def reconnect(self) -> None:
        """To Instagram and back, as the member's browser goes."""
        instagram = gateway.from_settings()
        short = instagram.exchange_code(self.sandbox.code(PERSONA), REDIRECT_URI)
        token = instagram.long_lived(short.access_token)
        linking.link_from_oauth(
            owner=self.alice,
            profile=instagram.me(token.access_token),
            token=token,
            permissions=short.permissions or frozenset({"instagram_business_basic"}),
        )

    def fall_due(self) -> None:
        """Time goes on to the next moment at which something is to be done, and a worker comes."""
        run = SyncRun.objects.filter(account=self.account, state__in=SyncRun.OPEN).first()
        due = run.not_before if run else self.settings.next_due_at
        if due is not None:
            self.pass_time(max(0.0, (due - self.clock.moment).total_seconds()))
        elif run is not None and run.worker is not None:
            self.pass_time(LEASE_OVER)  # its worker died
        dispatcher.tick()
        for opened in SyncRun.objects.filter(account=self.account, state__in=SyncRun.OPEN):
            self.work(opened)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None and self.account is not None:
                self.comes_right()
        finally:
            self.sandbox.faults()
            self.sandbox.call("DELETE", "script/")
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            self.clock.moment = self.begin

    def comes_right(self) -> None:
        """With nothing wrong any more, all is found out, and nobody who is gone is left."""
        self.calm()
        self.come_back()
        self.observer.check()
        end = self.clock.moment + PATIENCE
        while not self.is_right():
            assert self.clock.moment < end, self.difference()
            self.fall_due()
            self.observer.check()

    def is_right(self) -> bool:
        same = held(self.live_account) == truth(self.sandbox, self.live_account)
        return same and not Absence.objects.filter(account_id=self.live_account.pk).exists()

    def difference(self) -> str:
        here, true = held(self.live_account), truth(self.sandbox, self.live_account)
        runs = SyncRun.objects.filter(account=self.account).order_by("-id")[:3]
        said = [(run.state, run.mode, run.error_code) for run in runs]
        return f"not right after {PATIENCE}: surplus {here - true}, missing {true - here}, {said}"

    @property
    def live_account(self) -> LinkedAccount:
        assert self.account is not None
        return LinkedAccount.objects.get(pk=self.account.pk)

    @property
    def instagram_id(self) -> str:
        return self.live_account.instagram_id or ""

    @property
    def settings(self) -> SyncSettings:
        return SyncSettings.objects.get(pk=self.live_account.pk)

    @property
    def consented(self) -> bool:
        return consent_in_force(self.live_account.pk, Scope.FOLLOWERS)

    def pass_time(self, seconds: float) -> None:
        """For us and for Instagram; tokens are refreshed, and trouble has an end."""
        self.clock.advance(seconds=seconds)
        self.sandbox.advance(seconds)
        if self.faults and self.clock.moment >= self.trouble_until:
            self.calm()
        for account_id in tokens.refresh_due():
            tokens.refresh(account_id)

    def open_run(self, trigger: str) -> SyncRun | None:
        """The run that is open, or a new one; None where none may be opened."""
        if self.live_account.state != "active" or not self.consented:
            return None
        try:
            return sync.request_sync(account=self.live_account, trigger=trigger)
        except SyncRunning as error:
            return error.run

    def work(self, run: SyncRun) -> None:
        """A worker, until the run ends or waits."""
        while sync.advance(run.pk):
            pass
        last = SyncRun.objects.get(pk=run.pk)
        if not self.faults and last.state == "succeeded" and last.mode == "full":
            self.rested = True

    def is_running(self, run: SyncRun) -> bool:
        return SyncRun.objects.get(pk=run.pk).state == "running"

    def amid_a_run(self, steps: int, act: Callable[[], object], state: str) -> None:
        """`act` while a run is so many steps on; 0 or no such run: beside any."""
        if self.live_account.state != state:
            return
        done = After(steps, act)
        run = self.open_run("member") if steps else None
        if run is not None:
            sync.advance(run.pk, watch=done)
        if not done.happened:
            act()

    def erase(self) -> None:
        for request in DeletionRequest.objects.filter(state__in=DeletionRequest.OPEN):
            while tasks.run_deletion(request.pk):
                pass
        self.observer.forget()
