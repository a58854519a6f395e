"""What a perfect observer knows of one account under fire, and holds the product to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from accounts.models import DeletionRequest, LinkedAccount
from followersync import selectors
from followersync.domain import digest
from followersync.domain import engine as domain
from followersync.errors import FeedGone
from followersync.models import (
    Absence,
    Follower,
    FollowerChange,
    FollowerSnapshot,
    FullScan,
    PastFollow,
    ScanPage,
    SyncRun,
    SyncSettings,
)
from tests.support.sandbox import Sandbox
from tests.support.sync import assert_books_agree, held, truth

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MANY = 5


class Killed(BaseException):
    """As sudden as kill -9: nothing of ours catches it."""


class Death:
    """Lets a worker die at its n-th statement to the database; nothing it says later is heard.

    What a transaction had written is rolled back, as PostgreSQL does for a lost connection.
    """

    def __init__(self, statements: int) -> None:
        self.left = statements
        self.dead = False

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if self.dead:
            if sql.startswith(("ROLLBACK TO", "RELEASE")):
                return execute(sql, *rest)
            raise Killed
        self.left -= 1
        if self.left <= 0:
            self.dead = True
            raise Killed
        return execute(sql, *rest)


@contextmanager
def dying_after(statements: int) -> Iterator[Death]:
    """The worker inside dies at its n-th statement, if it does not end before."""
    death = Death(statements)
    try:
        with connection.execute_wrapper(death):
            yield death
    except Killed:
        pass


@dataclass
class Copy:
    """A program's copy of the list, kept up by nothing but the feed."""

    people: dict[int, str]
    position: int
    epoch: str


@dataclass
class Observer:
    """`step` counts what happened.

    `hidden`: at which step somebody was last not to be seen; `missed`: at which step, at the
    earliest, the look began that made somebody unconfirmed; `quiet`: the last step that ended
    with no look going on.
    """

    sandbox: Sandbox
    account: LinkedAccount
    step: int = 0
    ever: set[int] = field(default_factory=set)
    hidden: dict[int, int] = field(default_factory=dict)
    missed: dict[int, int] = field(default_factory=dict)
    quiet: int = 0
    began: int = 0
    disturbed: int = 0
    judged: int = 0
    copy: Copy | None = None
    last_at: datetime = EPOCH
    losses: int = 0

    def look(self) -> None:
        """Note who is to be seen at Instagram now."""
        shown = {key for key, _name in truth(self.sandbox, self.account)}
        self.ever |= shown
        self.hidden.update(dict.fromkeys(self.ever - shown, self.step))

    def stepped_out(self, people: list[str]) -> None:
        """They were gone for a moment within this step."""
        self.hidden.update({int(key): self.step for key in people})

    def forget(self) -> None:
        """All was erased: the list begins anew, and with it what it can be held to."""
        self.copy, self.last_at, self.losses, self.judged = None, EPOCH, 0, 0
        self.missed.clear()

    def disturb(self) -> None:
        """Something changed at Instagram, or went wrong on the way, in the step that goes on."""
        self.disturbed = self.step + 1

    def check(self) -> None:
        """All that must hold after each step, which this ends."""
        self.look()
        self.step, self.began = self.step + 1, self.quiet + 1
        if DeletionRequest.objects.filter(state__in=DeletionRequest.OPEN).exists():
            self.copy = None
            return
        assert_books_agree(self.account)
        self._one_at_a_time()
        self._losses()
        self._nothing_piles_up()
        self._times()
        self._copy()
        self._unconfirmed()

    def _one_at_a_time(self) -> None:
        runs = SyncRun.objects.filter(account=self.account, state__in=SyncRun.OPEN)
        scans = FullScan.objects.filter(account=self.account, closed_at=None)
        assert runs.count() <= 1, "two runs at once"
        assert scans.count() <= 1, "two full scans at once"

    def _losses(self) -> None:
        """Nobody is lost who was always there, nobody unannounced, nobody without evidence."""
        changes = FollowerChange.objects.filter(account_id=self.account.pk, kind="lost")
        lost = list(changes.order_by("position").values_list("key", flat=True))
        for key in lost[self.losses :]:
            assert key in self.missed, f"{key} was lost without having been unconfirmed"
            gone = self.hidden.get(key, -1)
            assert gone >= self.missed[key], f"{key} was lost and was there since {self.missed}"
        self.losses = len(lost)
        said = sum(run.lost for run in SyncRun.objects.filter(account=self.account))
        assert said == len(lost), "the runs tell of other losses than the feed"
        open_runs = SyncRun.objects.filter(account=self.account, state__in=SyncRun.OPEN)
        proven = sum(s.lost for s in FollowerSnapshot.objects.filter(account=self.account))
        unfinished = sum(run.lost for run in open_runs)
        assert proven + unfinished == len(lost), "somebody was lost and no snapshot says why"

    def _nothing_piles_up(self) -> None:
        """One row for each change and each interval, and no evidence without an open look."""
        account = self.account.pk
        assert PastFollow.objects.filter(account_id=account).count() == self.losses
        settings = SyncSettings.objects.get(pk=account)
        state = domain.load(settings.memory or None)
        if state.full_scan is None and state.run is None:
            self.quiet = self.step
            assert not ScanPage.objects.filter(account_id=account).exists(), "evidence is left over"
            assert not FullScan.objects.filter(account_id=account, closed_at=None).exists()
        self._one_snapshot_a_run()

    def _one_snapshot_a_run(self) -> None:
        """A run that ends leaves one; the run that reads a first list twice, one for each look."""
        snapshots = FollowerSnapshot.objects.filter(account=self.account).order_by("id")
        told = [int(run) for run in snapshots.values_list("run_id", flat=True) if run]
        looks_after_the_first = told[2:] if told[:1] == told[1:2] else told[1:]
        assert len(set(looks_after_the_first)) == len(looks_after_the_first), "one run, two of them"
        ended = SyncRun.objects.filter(pk__in=looks_after_the_first, state="succeeded").count()
        assert ended == len(looks_after_the_first), "a snapshot of what did not end"

    def _times(self) -> None:
        """Neither in the feed nor between two looks does time run backwards."""
        times = FollowerChange.objects.filter(account_id=self.account.pk).order_by("position")
        moments = list(times.values_list("at", flat=True))
        assert moments == sorted(moments), "the feed's times run backwards"
        synced = SyncSettings.objects.get(pk=self.account.pk).last_synced_at
        assert synced is None or synced >= self.last_at, "last_synced_at ran backwards"
        self.last_at = synced or self.last_at
        for past in PastFollow.objects.filter(account_id=self.account.pk):
            assert past.valid_from is None or past.valid_from <= past.valid_to

    def _copy(self) -> None:
        """The copy, brought up by the feed, is the list, and its digest is the product's."""
        if self.copy is None or not self._brought_up(self.copy):
            page = selectors.followers_page(self.account, limit=10_000)
            assert page.next is None
            people = {row.key: row.username for row in page.rows}
            self.copy = Copy(people, page.position, page.epoch)
        assert set(self.copy.people.items()) == held(self.account), "the feed leads elsewhere"
        proof = selectors.digest(self.account)
        total = digest.total(bytes.fromhex(proof.key), self.copy.people.items())
        assert (digest.to_hex(total), len(self.copy.people)) == (proof.value, proof.count)

    def _brought_up(self, copy: Copy) -> bool:
        while True:
            try:
                page = selectors.changes_page(
                    self.account, after=copy.position, epoch=copy.epoch, limit=7
                )
            except FeedGone:
                return False
            for change in page.rows:
                if change.kind == "lost":
                    del copy.people[int(change.public_id)]
                else:
                    copy.people[int(change.public_id)] = change.username
            if page.next_after == copy.position:
                return True
            copy.position = page.next_after

    def _unconfirmed(self) -> None:
        """Who is unconfirmed follows here, and is on no page of the look that goes on."""
        account = self.account.pk
        waiting = set(Absence.objects.filter(account_id=account).values_list("key", flat=True))
        here = set(Follower.objects.filter(account_id=account).values_list("key", flat=True))
        assert waiting <= here, "unconfirmed, and no follower"
        for page in ScanPage.objects.filter(account_id=account):
            assert not waiting.intersection(page.keys), "seen in this look, and still unconfirmed"
        self.missed = {key: self.missed.get(key, self.began) for key in waiting}
        last = FollowerSnapshot.objects.filter(account_id=account).order_by("-id").first()
        if last is not None and last.run_id != self.judged:
            self.judged = last.run_id
            if last.mode == "full" and last.evidence["finished"] and self.disturbed < self.began:
                self._clean_look(waiting)

    def _clean_look(self, waiting: set[int]) -> None:
        """Nothing was wrong, and nothing happened meanwhile: the list is told as it is."""
        here, true = held(self.account), truth(self.sandbox, self.account)
        assert true <= here, "a clean look missed somebody"
        gone = {key for key, _name in here - true}
        # When many are missing for the first time, the look itself is what is doubted.
        assert len(gone) > MANY or gone <= waiting, "gone, and nobody says so"
        assert not waiting.intersection(key for key, _name in true), "there, and unconfirmed"
