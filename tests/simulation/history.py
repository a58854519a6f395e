"""One account's history: a baseline, faulty syncs, clean days; and the referee who knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from followersync.domain import schedule
from followersync.domain.values import Judge, Source
from tests.simulation.lister import Failed, Lister, count_quirks
from tests.simulation.store import Engine, Killed, Store
from tests.simulation.world import DAY, World

CLEAN_DAYS = 14
LARGE = 30
SETTLING_DAYS = 8
"""Then nobody comes or goes: a full scan falls due, and shows who reappeared in mid-list."""


@dataclass(frozen=True)
class Scenario:
    """`faults`: probability by name. `syncs`: how many of them are faulty."""

    name: str
    faults: dict[str, float]
    size: int
    page_limit: int
    seed: int
    syncs: int = 120
    kill: float = 0.0
    budget: int | None = None


@dataclass
class Result:
    """`delays_*`: from leaving to being reported, of losses reported; `clean_*`: of those who
    left while nothing was faulty, `small_*` in lists of fewer than LARGE people."""

    syncs: int = 0
    faulty: int = 0
    false_losses: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    false_gains: list[str] = field(default_factory=list)
    not_held: list[str] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    clean_delays: list[int] = field(default_factory=list)
    small_delays: list[int] = field(default_factory=list)
    clean_days: list[float] = field(default_factory=list)
    calls: int = 0
    full_calls: int = 0
    lost: int = 0
    gained: int = 0
    late_gains: int = 0

    def add(self, other: Result) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Look:
    """A judgement made in a sync, and who was absent in it."""

    began: int
    ended: int
    step: Judge
    absent: frozenset[int]

    def speaks_of(self, key: int, place: int, left_at: int) -> bool:
        if self.began <= left_at:
            return self.ended > left_at and key in self.absent
        ranges = self.step.ranges
        return ranges is None or any(low < place < high for low, high in ranges)


class History:
    """Runs a scenario; `result` holds what the referee saw."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.rng = Random(scenario.seed)
        self.world = World(Random(scenario.seed + 1), now=1_700_000_000)
        self.world.populate(scenario.size)
        offset, lag, jitter = count_quirks(self.rng, scenario.size)
        self.lister = Lister(
            self.world,
            Random(scenario.seed + 2),
            dict(scenario.faults),
            moving=self.rng.random() < 0.5,
            offset=offset,
            lag=lag,
            jitter=jitter,
        )
        self.store = Store()
        per_day = self.rng.choice((0.5, 2.0, max(2.0, scenario.size / 50)))
        self.per_day = per_day
        self.engine = Engine(
            self.store,
            self.lister,
            self.rng,
            Source(scenario.page_limit),
            kill=scenario.kill,
            budget=scenario.budget,
            life_between_calls=self.rng.choice((0.0, 0.0, 2000.0)) if scenario.size > 5 else 0.0,
        )
        self.result = Result()
        self.failures = 0
        self.looks: list[Look] = []
        self.baseline_at: int | None = None
        self.clean_from = 0

    def run(self) -> Result:
        for _ in range(self.scenario.syncs):
            self._sync_and_wait()
            self.result.faulty += 1
        self.lister.heal()
        self.engine.kill, self.engine.budget = 0.0, None
        self.clean_from = self.world.now
        while self.world.now < self.clean_from + CLEAN_DAYS * DAY:
            self._sync_and_wait()
        self._never_reported()
        self._settle()
        self._not_held()
        return self.result

    def _settle(self) -> None:
        """Nobody comes or goes any more; a last full scan shows everybody."""
        self.engine.life_between_calls = 0.0
        end = self.world.now + SETTLING_DAYS * DAY
        while self.world.now < end:
            self._sync_and_wait(alive=False)

    def _sync_and_wait(self, *, alive: bool = True) -> None:
        before, started = self.lister.calls, self.world.now
        self.lister.begin_sync()
        second_look, campaign_open = None, False
        try:
            done = self.engine.sync(resume=self.failures > 0 and self.rng.random() < 0.5)
            self.failures = 0
            second_look, campaign_open = done.second_look_in, done.campaign_open and not done.paced
            if done.complete and self.baseline_at is None:
                self.baseline_at = started
        except (Failed, Killed):
            self.failures += 1
        self.result.syncs += 1
        self.result.calls += self.lister.calls - before
        self.result.full_calls += 1 + max(1, -(-len(self.world.listed()) // self._limit()))
        self._referee(started)
        due = schedule.next_due(
            now=self.world.now,
            interval_minutes=360,
            changes_per_day=0.0,
            failures=min(self.failures, 9),
            not_before=None,
            second_look_in=second_look,
            campaign_open=campaign_open,
            jitter=self.rng.random(),
        )
        self.world.live(due - self.world.now, self.per_day if alive else 0.0)

    def _limit(self) -> int:
        return self.scenario.page_limit

    def _referee(self, began: int) -> None:
        visible = self.world.visible()
        self.looks.extend(
            Look(began, self.world.now, step, absent) for step, absent in self.store.judgements
        )
        self.store.judgements.clear()
        for what, key, lost in self.store.events:
            person = visible.get(key)
            if what == "lost" and lost is not None:
                self.result.lost += 1
                if person is not None and person.since <= lost.since:
                    self.result.false_losses.append(
                        self._note(key, "fast" if lost.fast else "slow")
                    )
                elif key in self.world.left_at:
                    self._delay(key, self.world.left_at[key], self.store.stood[key])
            elif what == "gained":
                self.result.gained += 1
                held_since = self.baseline_at is None or person is None
                if not held_since and person is not None and person.since < self._baseline():
                    self.result.false_gains.append(self._note(key, what))
            elif what == "found" and person is not None and person.since > self._baseline():
                self.result.late_gains += 1
        self.store.events.clear()

    def _baseline(self) -> int:
        return self.baseline_at or 0

    def _delay(self, key: int, left_at: int, place: int) -> None:
        """Syncs that could show the person missing: that did, or that began afterwards and read
        the whole list, or a page where they stood."""
        looks = {look.began for look in self.looks if look.speaks_of(key, place, left_at)}
        self.result.delays.append(len(looks))
        if self.clean_from and left_at > self.clean_from:
            large = self.scenario.size >= LARGE
            (self.result.clean_delays if large else self.result.small_delays).append(len(looks))
            self.result.clean_days.append((self.world.now - left_at) / DAY)

    def _not_held(self) -> None:
        self.result.not_held += [
            self._note(key, "not held")
            for key in self.world.visible()
            if key not in self.store.followers
        ]

    def _never_reported(self) -> None:
        for key in self._unreported():
            left = self.world.left_at.get(key)
            if left is not None and left < self.clean_from:
                row, absence = self.store.followers[key], self.store.absences.get(key)
                self.result.never.append(self._note(key, f"never {row} {absence}"))

    def _unreported(self) -> Iterator[int]:
        visible = self.world.visible()
        return (key for key in self.store.followers if key not in visible)

    def _note(self, key: int, what: str) -> str:
        return f"{what}: person {key} at sync {self.result.syncs} of {self.scenario}"
