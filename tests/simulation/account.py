"""The door: one account, synced by the product's own domain over an in-memory store."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any

from tests.simulation import store
from tests.simulation.door import Id, Page, Report, Transient, World

DAY = 86_400
CHANGES_OVER = 7
"""Days over which the product counts an account's changes."""
ATTEMPTS = 8
"""After so many passing errors in a row the product's run fails; the next begins anew."""


class _Clocked:
    """A world with a clock that goes on with each call; ids become ints, cursors strings."""

    def __init__(self, world: World, now: int) -> None:
        self.world, self.now, self.calls = world, now, 0
        self.ids: dict[int, Id] = {}
        self._numbers: dict[Id, int] = {}
        self._cursors: dict[str, Any] = {}

    def tick(self, seconds: int) -> None:
        self.now += seconds

    def count(self) -> int | None:
        self.calls += 1
        return self.world.count(self.now)

    def page(self, after: str | None, limit: int) -> Page:
        self.calls += 1
        cursor = None if after is None else self._cursors.get(after, after)
        rows, following = self.world.page(self.now, cursor, limit)
        if following is not None and not isinstance(following, str):
            self._cursors[str(following)] = following
            following = str(following)
        if rows and not isinstance(rows[0][0], int):
            rows = [(self._number(given), name) for given, name in rows]
        return Page(rows, following)

    def _number(self, given: Id) -> int:
        number = self._numbers.get(given)
        if number is None:
            text = str(given)
            number = int(text) if text.isdigit() else len(self._numbers) + 1
            self._numbers[given], self.ids[number] = number, given
        return number


class Account:
    """An account of `world`. Times are seconds.

    `kill`: probability that the worker dies before a commit. `budget`: calls that a sync may
    spend. `seconds_a_call`: how long a call lasts.
    """

    def __init__(
        self,
        world: World,
        page_limit: int = 1000,
        *,
        kill: float = 0.0,
        budget: int | None = None,
        seconds_a_call: int = 1,
        seed: int = 0,
    ) -> None:
        self._rng = Random(seed)
        self._store = store.Store()
        self._lister = _Clocked(world, 0)
        self._engine = store.Engine(
            self._store,
            self._lister,
            self._rng,
            store.source(page_limit),
            kill=kill,
            budget=budget,
            seconds_a_call=seconds_a_call,
        )
        self._attempts = self._failures = 0
        self._changes: deque[tuple[int, int]] = deque()
        self._complete: bool = False
        self.next_due: int = 0

    # -- what is known -----------------------------------------------------------------------

    @property
    def held(self) -> dict[Id, str]:
        """Everybody in the list, the unconfirmed and those beyond what is shown included."""
        return {self._id(key): row.username for key, row in self._store.followers.items()}

    @property
    def unconfirmed(self) -> dict[Id, int]:
        """Who is not seen, and since when."""
        return {self._id(key): absence.since for key, absence in self._store.absences.items()}

    @property
    def beyond(self) -> set[Id]:
        """Who stands beyond what Instagram shows."""
        return {self._id(key) for key in self._store.beyond}

    @property
    def complete(self) -> bool:
        return bool(self._complete)

    @property
    def now(self) -> int:
        """When the last sync ended."""
        return self._lister.now

    def steady(self) -> None:
        """No worker dies and no call is refused any more."""
        self._engine.kill, self._engine.budget = 0.0, None

    # -- a sync ------------------------------------------------------------------------------

    def sync(self, now: int) -> Report:
        """One sync at `now`, its further pages included. What a broken one told is told too."""
        self._lister.now, self._lister.calls = now, 0
        try:
            done = self._run()
        except (Transient, store.Killed):
            return self._failed()
        self._attempts = self._failures = 0
        report = self._report(whole=store.is_whole(done))
        self._changes.append((self.now, sum(map(len, self._told(report)))))
        self.next_due = store.next_due(
            self.now,
            done=done,
            failures=0,
            changes_per_day=self._changes_per_day(),
            jitter=self._rng.random(),
        )
        return report

    def _run(self) -> store.Finished:
        done = self._engine.sync(resume=self._attempts > 0)
        self._finished(done)
        while done.confirm:
            self._attempts = 0
            done = self._engine.sync(resume=False, asked=True)
            self._finished(done)
        return done

    def _finished(self, done: store.Finished) -> None:
        self._complete = store.complete(done)

    def _failed(self) -> Report:
        self._attempts += 1
        if self._attempts < ATTEMPTS:
            self.next_due = store.retry_at(
                self.now, attempts=self._attempts, jitter=self._rng.random()
            )
        else:
            self._attempts, self._failures = 0, self._failures + 1
            self.next_due = store.next_due(
                self.now,
                done=None,
                failures=self._failures,
                changes_per_day=0.0,
                jitter=self._rng.random(),
            )
        report = self._report(whole=False)
        report.failed = True
        return report

    def _report(self, *, whole: bool) -> Report:
        report = Report(calls=self._lister.calls, whole=whole)
        for kind, key, _ in self._store.events:
            getattr(report, kind).append(self._id(key))
        report.renamed += map(self._id, self._store.renamed)
        self._store.events.clear()
        self._store.renamed.clear()
        return report

    def _told(self, report: Report) -> tuple[list[Id], ...]:
        return report.gained, report.found, report.lost, report.returned

    def _changes_per_day(self) -> float:
        while self._changes and self._changes[0][0] <= self.now - CHANGES_OVER * DAY:
            self._changes.popleft()
        return sum(count for _, count in self._changes) / CHANGES_OVER

    def _id(self, key: int) -> Id:
        return self._lister.ids.get(key, key)
