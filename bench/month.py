"""A simulated month of syncs of one long list with the product's planner; no database.

Every six hours 500 people follow and 0 to 50 leave. Measured: the calls of the month against the
200 an hour that Instagram allows, and the delay of the slowest loss.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.results import Results, WrongResult
from followersync.domain import engine, schedule
from followersync.domain.apply_page import PageOutcome
from followersync.domain.losses import missing_of
from followersync.domain.state import AccountState, ListOrder
from followersync.domain.values import (
    Absence,
    Absent,
    Finish,
    Judge,
    ListSource,
    ReadCount,
    ReadPage,
    Span,
    StoredConnection,
)

DAY = 86_400
HOUR = 3600
INTERVAL_MINUTES = 360
GAINS, MOST_LOSSES = 500, 50
CALLS_PER_HOUR = 200
MONTH = 30 * DAY
AFTERWARDS = 8 * DAY
# The page size of the product.
PAGE = 1000


class List:
    """The list at Instagram: `keys` ascending, the newest last. A key is drawn at each follow."""

    def __init__(self, size: int, seed: int) -> None:
        self.random = Random(seed)
        self.now = 1_700_000_000
        self.keys = list(range(1, size + 1))
        self._next = size + 1
        self.left_at: dict[int, int] = {}
        self.tracked = False
        self._lived = self.now // HOUR
        self._losses = self.random.randint(0, MOST_LOSSES)

    def live_until(self, when: int) -> None:
        """Apply events hour by hour: a sixth of those of six hours."""
        while self._lived < when // HOUR:
            self._lived += 1
            self.now = max(self.now, self._lived * HOUR)
            self._hour(self._lived % 6)
        self.now = max(self.now, when)

    def _hour(self, number: int) -> None:
        if number == 0:
            self._losses = self.random.randint(0, MOST_LOSSES)
        for _ in range(_share(GAINS, number)):
            self.keys.append(self._next)
            self._next += 1
        for _ in range(_share(self._losses, number)):
            key = self.keys.pop(self.random.randrange(len(self.keys)))
            if self.tracked:
                self.left_at[key] = self.now

    def page(self, after: str | None, limit: int) -> tuple[list[tuple[int, str]], str | None]:
        end = len(self.keys) if after is None else bisect_left(self.keys, int(after))
        shown = self.keys[max(0, end - limit) : end][::-1]
        cursor = str(shown[-1]) if shown and end > limit else None
        return [(key, str(key)) for key in shown], cursor


def _share(count: int, part: int) -> int:
    """The `part`-th of six nearly equal parts."""
    return count * (part + 1) // 6 - count * part // 6


@dataclass
class Account:
    """The account here: the store's state, and the engine's loop around the domain's steps."""

    there: List
    page_limit: int
    state: AccountState = field(default_factory=AccountState)
    followers: dict[int, StoredConnection] = field(default_factory=dict)
    absences: dict[int, Absence] = field(default_factory=dict)
    spans: list[tuple[int, Span]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    places: list[tuple[int, int]] = field(default_factory=list)
    unsorted: bool = False
    reported: dict[int, int] = field(default_factory=dict)
    calls: int = 0
    hour: tuple[int, int] = (0, 0)

    def sync(self) -> Any:
        """One run to its end; further calls wait for the next hour once this one's are used."""
        there = self.there
        if self.state.full_scan is None:
            self._drop()
        self.state = engine.begin_run(
            self.state,
            now=there.now,
            source=ListSource(page_limit=self.page_limit),
            followers=len(self.followers),
            unconfirmed=len(self.absences),
            calls_left=CALLS_PER_HOUR,
        )
        while not isinstance(step := engine.next_step(self.state), Finish):
            self._do(step)
        done = engine.finish_run(
            self.state,
            followers=len(self.followers),
            unconfirmed=len(self.absences),
            now=there.now,
        )
        self.state = engine.load(json.loads(json.dumps(engine.dump(done.state))))
        if done.drop_pages:
            self._drop()
        return done

    def _drop(self) -> None:
        self.spans.clear()
        self.seen.clear()

    def _do(self, step: ReadCount | ReadPage | Judge) -> None:
        if isinstance(step, Judge):
            self._judge(step)
            return
        self._call()
        if isinstance(step, ReadCount):
            reported = len(self.there.keys)
            self.state = engine.count_read(self.state, reported=reported, now=self.there.now)
        else:
            self._read(step)

    def _call(self) -> None:
        hour, spent = self.hour
        if hour != self.there.now // HOUR:
            hour, spent = self.there.now // HOUR, 0
        if spent >= CALLS_PER_HOUR:
            self.there.live_until((hour + 1) * HOUR)
            hour, spent = hour + 1, 0
        self.hour = (hour, spent + 1)
        self.calls += 1

    def _read(self, step: ReadPage) -> None:
        rows, after = self.there.page(step.after, step.limit)
        known = {key: self.followers[key] for key, _ in rows if key in self.followers}
        out = engine.page_read(
            self.state,
            rows=rows,
            after=after,
            known=known,
            lost_before=set(),
            now=self.there.now,
        )
        page = out.page
        if page.top is not None and page.bottom is not None:
            span = Span(page.number, page.top, page.bottom, page.at, page.after, page.limit)
            self.spans.append((page.number, span))
        for added in out.added:
            self._place(added.key, StoredConnection(added.username, added.place, added.sure))
        for moved in out.moved:
            self._place(
                moved.key, self.followers[moved.key]._replace(place=moved.place, sure=moved.sure)
            )
        self._doubt(out)
        self.seen.update(out.seen)
        moved_keys = {moved.key for moved in out.moved}
        ended = [(key, self.absences.pop(key)) for key in out.seen if key in self.absences]
        self.state = out.state
        if ended:
            self.state = engine.reappeared(
                out.state,
                [absence for key, absence in ended if key not in moved_keys],
                [absence for key, absence in ended if key in moved_keys],
                now=page.at,
            )

    def _doubt(self, out: PageOutcome) -> None:
        """People expected within a range but not on the page become unconfirmed."""
        shown = set(out.seen)
        for key in self._within(out.doubt):
            row = self.followers[key]
            if row.sure and key not in shown:
                self.followers[key] = row._replace(sure=False)

    def _place(self, key: int, row: StoredConnection) -> None:
        """`places` may be outdated; readers compare."""
        before = self.followers.get(key)
        self.followers[key] = row
        if before is not None and before.place == row.place:
            return
        if self.places and row.place < self.places[-1][0]:
            self.unsorted = True
        self.places.append((row.place, key))

    def _between(self, step: Judge) -> list[int]:
        return list(self.followers) if step.ranges is None else self._within(step.ranges)

    def _within(self, ranges: Iterable[tuple[int, int]]) -> list[int]:
        """People strictly between the places of a range."""
        if self.unsorted:
            self.places.sort()
            self.unsorted = False
        found = []
        for low, high in ranges:
            begin = bisect_right(self.places, (low, 1 << 62))
            for place, key in self.places[begin : bisect_left(self.places, (high, 0))]:
                row = self.followers.get(key)
                if row is not None and row.place == place:
                    found.append(key)
        return found

    def _judge(self, step: Judge) -> None:
        now = self.there.now
        absent = [
            Absent(key, row.place, row.sure, self.absences.get(key))
            for key in self._between(step)
            if key not in self.seen
            for row in (self.followers[key],)
        ]
        spans = [span for number, span in self.spans if number >= step.first_page]
        missing = missing_of(absent, engine.list_end(self.state, spans))
        context = engine.judge_context(
            self.state, spans, missing=missing, followers=len(self.followers), now=now
        )
        verdicts = engine.judge(context, absent)
        for lost in verdicts.lost:
            del self.followers[lost.key]
            self.absences.pop(lost.key, None)
            self.reported[lost.key] = now
        self.absences.update(verdicts.absences)
        for moved in verdicts.moved:
            if moved.key in self.followers:
                row = self.followers[moved.key]
                self._place(moved.key, row._replace(place=moved.place, sure=moved.sure))
        self.state = engine.judged(
            self.state,
            tally=verdicts.tally,
            looks=verdicts.looks,
            context=context,
        )

    def sync_and_wait(self) -> None:
        done = self.sync()
        due = schedule.next_due(
            now=self.there.now,
            interval_minutes=INTERVAL_MINUTES,
            changes_per_day=(GAINS + MOST_LOSSES / 2) * DAY / (INTERVAL_MINUTES * 60),
            failures=0,
            not_before=None,
            second_look_in=done.second_look_in,
            full_scan_open=done.full_scan_open and not done.paced,
            jitter=self.there.random.random(),
        )
        self.there.live_until(due)


def measure(results: Results, n: int, runs: int) -> None:
    """One month is enough: it holds hundreds of syncs and thousands of losses."""
    del runs
    calls, days = simulate(n, PAGE)
    budget = CALLS_PER_HOUR * MONTH / HOUR
    results.add("month_calls_over_budget", n, [calls / budget], "ratio", floor=budget)
    results.add("month_worst_loss_days", n, [days], "days")


def simulate(n: int, page: int, seed: int = 1) -> tuple[int, float]:
    """(calls in the month, days of the slowest loss). Raises WrongResult for a false loss."""
    there = List(n, seed)
    here = Account(there, page)
    while here.state.memory.order is not ListOrder.CONFIRMED or here.state.full_scan is not None:
        here.sync_and_wait()
    begun, before = there.now, here.calls
    there.tracked = True
    while there.now < begun + MONTH:
        here.sync_and_wait()
    calls, ended = here.calls - before, there.now
    while there.now < ended + AFTERWARDS:
        here.sync_and_wait()
    follows = set(there.keys)
    wrong = [key for key in here.reported if key in follows]
    if wrong:
        raise WrongResult(f"{len(wrong)} people were reported to have left who did not")
    # People who came and left between two syncs were never in our list.
    delays = [
        here.reported.get(key, there.now) - at
        for key, at in there.left_at.items()
        if at < ended and (key in here.reported or key in here.followers)
    ]
    return calls, max(delays, default=0) / DAY
