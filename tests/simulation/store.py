"""What the SQL engine keeps, in memory, and the engine's loop around the domain's steps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from followersync.domain import engine, schedule
from followersync.domain.apply_page import PageOutcome
from followersync.domain.completeness import Finished as Finished
from followersync.domain.losses import missing_of
from followersync.domain.state import TOP
from followersync.domain.values import (
    Absence,
    Absent,
    AddedKind,
    Finish,
    Judge,
    ListSource,
    Lost,
    ReadCount,
    ReadPage,
    Span,
    StoredConnection,
    Tally,
)
from tests.simulation.door import Page, Refused

INTERVAL_MINUTES = 360
"""How often an account is synced where its member asks for nothing else."""


class Lister(Protocol):
    """An Instagram with a clock: each call of `tick` lets a second pass."""

    @property
    def now(self) -> int: ...

    def tick(self, seconds: int) -> None: ...

    def count(self) -> int | None: ...

    def page(self, after: str | None, limit: int) -> Page: ...


class Killed(Exception):
    """The worker died; only what was committed remains."""


@dataclass
class Store:
    """One account's rows. `events` and `renamed`: what the sync in progress told; where the lost
    `stood`."""

    state: engine.AccountState = field(default_factory=engine.AccountState)
    followers: dict[int, StoredConnection] = field(default_factory=dict)
    absences: dict[int, Absence] = field(default_factory=dict)
    past: set[int] = field(default_factory=set)
    pages: list[tuple[Span | None, int, list[int]]] = field(default_factory=list)
    events: list[tuple[str, int, Lost | None]] = field(default_factory=list)
    renamed: list[int] = field(default_factory=list)
    stood: dict[int, int] = field(default_factory=dict)

    def apply(self, out: PageOutcome) -> None:
        page = out.page
        span = None
        if page.top is not None and page.bottom is not None:
            span = Span(page.number, page.top, page.bottom, page.at, page.after, page.limit)
        self.pages.append((span, page.number, out.seen))
        for renamed in out.renamed:
            self.followers[renamed.key] = self.followers[renamed.key]._replace(
                username=renamed.username
            )
            self.renamed.append(renamed.key)
        for moved in out.moved:
            self.followers[moved.key] = self.followers[moved.key]._replace(
                place=moved.place, sure=moved.sure
            )
        if out.doubt:
            self._doubt(out)
        for given in (*out.added, *out.moved):
            if not 0 < given.place <= TOP:
                raise AssertionError(f"{given} is out of the range of a bigint")
        for added in out.added:
            if added.key in self.followers:
                raise AssertionError(f"{added.key} is added twice")
            self.followers[added.key] = StoredConnection(added.username, added.place, added.sure)
            if added.kind is not AddedKind.BASELINE:
                self.events.append((added.kind.value, added.key, None))
        ended = [key for key in out.seen if key in self.absences]
        moved = {each.key for each in out.moved}
        in_place = [self.absences[key] for key in ended if key not in moved]
        elsewhere = [self.absences[key] for key in ended if key in moved]
        for key in ended:
            del self.absences[key]
        self.state = out.state
        if ended:
            self.state = engine.reappeared(out.state, in_place, elsewhere, now=page.at)

    def _doubt(self, out: PageOutcome) -> None:
        """Whoever is said to stand within a range and is not on the page becomes unsure."""
        seen, followers = set(out.seen), self.followers
        for low, high in out.doubt:
            doubted = [
                key
                for key, row in followers.items()
                if low < row.place < high and row.sure and key not in seen
            ]
            for key in doubted:
                followers[key] = followers[key]._replace(sure=False)

    def absent(self, step: Judge) -> list[Absent]:
        """Those held who stand in the ranges of the look and are on none of its pages."""
        seen: set[int] = set()
        for _, number, keys in self.pages:
            if number >= step.first_page:
                seen.update(keys)
        if step.ranges is None:
            missing = self.followers.keys() - seen
        else:
            missing = {
                key
                for low, high in step.ranges
                for key, row in self.followers.items()
                if low < row.place < high and key not in seen
            }
        # By key, as the product reads them: pages to look at again are asked for in this order.
        return [
            Absent(key, *self.followers[key][1:], self.absences.get(key)) for key in sorted(missing)
        ]

    @property
    def beyond(self) -> list[int]:
        """Who may stand below the last whom Instagram shows."""
        return [key for key, absence in self.absences.items() if absence.beyond]

    def lose(self, lost: Lost) -> None:
        self.stood[lost.key] = self.followers.pop(lost.key).place
        self.absences.pop(lost.key, None)
        self.past.add(lost.key)
        self.events.append(("lost", lost.key, lost))


@dataclass
class Engine:
    """Drives one sync. `kill`: probability that the worker dies before a commit."""

    store: Store
    lister: Lister
    rng: Random
    source: ListSource
    kill: float = 0.0
    budget: int | None = None
    seconds_a_call: int = 1

    def sync(self, *, resume: bool, asked: bool = False) -> Finished:
        """One run to its end; raises Transient or Killed, as the real one would stop."""
        store = self.store
        if not resume or store.state.run is None:
            if store.state.full_scan is None:
                store.pages.clear()
            store.state = engine.begin_run(
                store.state,
                now=self.lister.now,
                source=self.source,
                followers=len(store.followers),
                unconfirmed=len(store.absences),
                calls_left=self.budget,
                asked=asked,
            )
        while not isinstance(step := engine.next_step(store.state), Finish):
            self._do(step)
        done = engine.finish_run(
            store.state,
            followers=len(store.followers),
            unconfirmed=len(store.absences),
            now=self.lister.now,
        )
        self._maybe_die()
        store.state = done.state
        if done.drop_pages:
            store.pages.clear()
        return done

    def _do(self, step: ReadCount | ReadPage | Judge) -> None:
        self.lister.tick(self.seconds_a_call)
        if isinstance(step, ReadCount):
            reported = self.lister.count()
            self.store.state = engine.count_read(
                self.store.state,
                reported=reported,
                now=self.lister.now,
            )
        elif isinstance(step, ReadPage):
            self._read(step)
        else:
            self._judge(step)

    def _read(self, step: ReadPage) -> None:
        try:
            rows, after = self.lister.page(step.after, step.limit)
        except Refused:
            if step.after is None:
                raise
            self.store.state = engine.cursor_lost(self.store.state)
            return
        held = self.store.followers
        known = {key: held[key] for key, _ in rows if key in held}
        lost_before = {key for key, _ in rows if key in self.store.past}
        out = engine.page_read(
            self.store.state,
            rows=rows,
            after=after,
            known=known,
            lost_before=lost_before,
            now=self.lister.now,
        )
        self._maybe_die()
        self.store.apply(out)

    def _judge(self, step: Judge) -> None:
        store, now = self.store, self.lister.now
        absent = store.absent(step)
        spans = [span for span, number, _ in store.pages if span and number >= step.first_page]
        missing = missing_of(absent, engine.list_end(store.state, spans))
        context = engine.judge_context(
            store.state,
            spans,
            missing=missing,
            followers=len(store.followers),
            now=now,
        )
        tally, looks = Tally(), []
        for start in range(0, len(absent), 50):
            verdicts = engine.judge(context, absent[start : start + 50])
            for lost in verdicts.lost:
                store.lose(lost)
            store.absences.update(verdicts.absences)
            for moved in verdicts.moved:
                if moved.key in store.followers:
                    row = store.followers[moved.key]
                    store.followers[moved.key] = row._replace(place=moved.place, sure=moved.sure)
            tally, looks = tally + verdicts.tally, looks + verdicts.looks
            self._maybe_die()
        store.state = engine.judged(store.state, tally=tally, looks=looks, context=context)

    def _maybe_die(self) -> None:
        if self.kill and self.rng.random() < self.kill:
            self.store.state = engine.load(json.loads(json.dumps(engine.dump(self.store.state))))
            raise Killed


def next_due(
    now: int, *, done: Finished | None, failures: int, changes_per_day: float, jitter: float
) -> int:
    """When the account is due again after a run that ended as `done`, or after a failed one."""
    return schedule.next_due(
        now=now,
        interval_minutes=INTERVAL_MINUTES,
        changes_per_day=changes_per_day,
        failures=failures,
        not_before=None,
        second_look_in=done.second_look_in if done else None,
        full_scan_open=done is not None and done.full_scan_open and not done.paced,
        jitter=jitter,
    )


def retry_at(now: int, *, attempts: int, jitter: float) -> int:
    """When a run that met a passing error is taken up again."""
    return now + schedule.retry_pause(attempts, jitter)


def source(page_limit: int) -> ListSource:
    return ListSource(page_limit=page_limit)


def is_whole(done: Finished) -> bool:
    """A scan of the whole list ended in this run."""
    return done.mode.value == "full" and not done.full_scan_open


def complete(done: Finished) -> bool:
    """Whether the list is called complete after a sync, as the product stores it."""
    return done.complete
