"""What the SQL engine keeps, in memory, and the engine's loop around the domain's steps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random

from followersync.domain import sync
from followersync.domain.closing import Finished
from followersync.domain.reading import PageOutcome
from followersync.domain.state import TOP
from followersync.domain.values import (
    Absence,
    Absent,
    Finish,
    Judge,
    Kind,
    Known,
    Lost,
    ReadCount,
    ReadPage,
    Source,
    Span,
    Tally,
)
from tests.simulation.lister import Lister


class Killed(Exception):
    """The worker died; only what was committed remains."""


@dataclass
class Store:
    """One account's rows. For the referee: `events` and `judgements` of the sync in progress, and
    where the lost `stood`."""

    state: sync.AccountState = field(default_factory=sync.AccountState)
    followers: dict[int, Known] = field(default_factory=dict)
    absences: dict[int, Absence] = field(default_factory=dict)
    past: set[int] = field(default_factory=set)
    pages: list[tuple[Span | None, int, list[int]]] = field(default_factory=list)
    events: list[tuple[str, int, Lost | None]] = field(default_factory=list)
    judgements: list[tuple[Judge, frozenset[int]]] = field(default_factory=list)
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
        for moved in out.moved:
            self.followers[moved.key] = self.followers[moved.key]._replace(
                place=moved.place, sure=moved.sure
            )
        seen = set(out.seen)
        for low, high in out.doubt:
            for key, row in self.followers.items():
                if row.sure and low < row.place < high and key not in seen:
                    self.followers[key] = row._replace(sure=False)
        for given in (*out.added, *out.moved):
            if not 0 < given.place <= TOP:
                raise AssertionError(f"{given} is out of the range of a bigint")
        for added in out.added:
            if added.key in self.followers:
                raise AssertionError(f"{added.key} is added twice")
            self.followers[added.key] = Known(added.username, added.place, added.sure)
            if added.kind is not Kind.BASELINE:
                self.events.append((added.kind.value, added.key, None))
        for key in out.seen:
            self.absences.pop(key, None)
        self.state = out.state

    def absent(self, step: Judge) -> list[Absent]:
        seen = {key for _, number, keys in self.pages for key in keys if number >= step.first_page}
        return [
            Absent(key, row.place, row.sure, self.absences.get(key))
            for key, row in self.followers.items()
            if key not in seen
            and (step.ranges is None or any(low < row.place < high for low, high in step.ranges))
        ]

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
    source: Source
    kill: float = 0.0
    budget: int | None = None
    seconds_a_call: int = 1
    life_between_calls: float = 0.0

    def sync(self, *, resume: bool) -> Finished:
        """One run to its end; raises lister.Failed or Killed, as the real one would stop."""
        store = self.store
        if not resume or store.state.run is None:
            if store.state.campaign is None:
                store.pages.clear()
            store.state = sync.begin_run(
                store.state,
                now=self.lister.world.now,
                source=self.source,
                followers=len(store.followers),
                unconfirmed=len(store.absences),
                calls_left=self.budget,
            )
        while not isinstance(step := sync.next_step(store.state), Finish):
            self._do(step)
        done = sync.finish_run(
            store.state,
            followers=len(store.followers),
            unconfirmed=len(store.absences),
            now=self.lister.world.now,
        )
        self._maybe_die()
        store.state = done.state
        if done.drop_pages:
            store.pages.clear()
        return done

    def _do(self, step: ReadCount | ReadPage | Judge) -> None:
        world = self.lister.world
        world.live(self.seconds_a_call, self.life_between_calls)
        if isinstance(step, ReadCount):
            reported = self.lister.count()
            self.store.state = sync.count_read(self.store.state, reported=reported, now=world.now)
        elif isinstance(step, ReadPage):
            self._read(step)
        else:
            self._judge(step)

    def _read(self, step: ReadPage) -> None:
        rows, after = self.lister.page(step.after, step.limit)
        held = self.store.followers
        known = {key: held[key] for key, _ in rows if key in held}
        lost_before = {key for key, _ in rows if key in self.store.past}
        out = sync.page_read(
            self.store.state,
            rows=rows,
            after=after,
            known=known,
            lost_before=lost_before,
            now=self.lister.world.now,
        )
        self._maybe_die()
        self.store.apply(out)

    def _judge(self, step: Judge) -> None:
        store, now = self.store, self.lister.world.now
        absent = store.absent(step)
        spans = [span for span, number, _ in store.pages if span and number >= step.first_page]
        context = sync.judge_context(
            store.state,
            spans,
            absent=len(absent),
            new_absent=sum(1 for one in absent if one.absence is None),
            followers=len(store.followers),
            now=now,
        )
        tally, looks = Tally(), []
        for start in range(0, len(absent), 50):
            verdicts = sync.judge(context, absent[start : start + 50])
            for lost in verdicts.lost:
                store.lose(lost)
            store.absences.update(verdicts.absences)
            for moved in verdicts.moved:
                if moved.key in store.followers:
                    row = store.followers[moved.key]
                    store.followers[moved.key] = row._replace(place=moved.place, sure=moved.sure)
            tally, looks = tally + verdicts.tally, looks + verdicts.looks
            self._maybe_die()
        store.judgements.append((step, frozenset(person.key for person in absent)))
        store.state = sync.judged(
            store.state, tally=tally, looks=looks, plausible=context.plausible, now=now
        )

    def _maybe_die(self) -> None:
        if self.kill and self.rng.random() < self.kill:
            self.store.state = sync.load(json.loads(json.dumps(sync.dump(self.store.state))))
            raise Killed
