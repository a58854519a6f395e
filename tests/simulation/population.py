"""One account's real followers over time: the truth against which the engine is judged.

People follow, leave, come back, leave and return at once, rename, deactivate and reactivate;
purges, giveaways and crowds are planned events. A follow has a rank, newest highest; the listed
ranks are kept sorted, so that a page costs what it holds.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

HOUR = 3_600
DAY = 24 * HOUR
REMEMBERED = 9 * DAY
"""How far back the list can be shown as it was."""


@dataclass(slots=True)
class Follow:
    """`at`: when they followed. `since`: when they began to be listed without a break."""

    key: int
    rank: int
    at: int
    since: int
    hidden: bool = False


class Leaver(NamedTuple):
    key: int
    rank: int
    at: int


class Population:
    """`per_day`: ordinary events in a day. `rush`: the same while a sync is going on, if more."""

    def __init__(self, rng: Random, now: int, size: int, per_day: float, rush: float) -> None:
        self.rng, self.now = rng, now
        self.per_day, self.rush = per_day, rush
        self.following: dict[int, Follow] = {}
        self.by_rank: dict[int, Follow] = {}
        self.ranks: list[int] = []
        self.hidden: list[int] = []
        self.gone: list[int] = []
        self.left_at: dict[int, int] = {}
        self.leavers: list[Leaver] = []
        self.names: dict[int, str] = {}
        self.renames: dict[int, list[tuple[int, str]]] = {}
        self.version = 0
        self._next_key = self._next_rank = 0
        self._log: list[tuple[int, int, bool]] = []
        self._counts: list[tuple[int, int]] = []
        self._plan: list[tuple[int, int, Callable[[], object]]] = []
        self.now = now - DAY
        for _ in range(size):
            self.follow()
        self.now = now
        self._log.clear()
        self._counts = [(now, size)]

    # -- what happens ------------------------------------------------------------------------

    def live_until(self, now: int, *, rushing: bool = False) -> None:
        """Let time pass up to `now`."""
        if now <= self.now:
            return
        start, expected = self.now, max(self.per_day, self.rush if rushing else 0.0)
        expected *= (now - start) / DAY
        happening = int(expected) + (self.rng.random() < expected % 1)
        times = sorted(start + self.rng.randrange(now - start) for _ in range(happening))
        for at in times:
            self._planned_until(at)
            self.now = max(self.now, at)
            self._happen()
        self._planned_until(now)
        self.now = now
        if len(self._log) > 4_000 and self._log[2_000][0] < now - REMEMBERED:
            del self._log[: bisect_left(self._log, (now - REMEMBERED,))]

    def plan(self, at: int, event: Callable[[], object]) -> None:
        insort(self._plan, (at, len(self._plan), event), key=lambda each: each[:2])

    def calm(self) -> None:
        """From now on nobody comes or goes."""
        self.per_day = self.rush = 0.0
        self._plan.clear()

    def _planned_until(self, now: int) -> None:
        while self._plan and self._plan[0][0] <= now:
            at, _, event = self._plan.pop(0)
            self.now = max(self.now, at)
            event()

    def _happen(self) -> None:
        chance = self.rng.random() * 100
        for limit, event in (
            (40, self.follow),
            (70, self.leave),
            (78, self.come_back),
            (86, self.rename),
            (92, self.deactivate),
            (97, self.reactivate),
            (101, self.leave_and_return),
        ):
            if chance < limit:
                event()
                return

    def follow(self) -> int:
        self._next_key += 1
        self.names[self._next_key] = f"p{self._next_key}"
        self._enter(self._next_key, self.now)
        return self._next_key

    def _enter(self, key: int, since: int, *, hidden: bool = False) -> None:
        self._next_rank += 1
        follow = Follow(key, self._next_rank, self.now, since, hidden)
        self.following[key] = self.by_rank[follow.rank] = follow
        if hidden:
            self.hidden.append(key)
        else:
            self.left_at.pop(key, None)
            self.ranks.append(follow.rank)
            self._changed(follow.rank, listed=True)
        self._counts.append((self.now, len(self.following)))

    def leave(self, key: int | None = None) -> int | None:
        """`key` leaves, or anybody listed; answers whom."""
        key = self._anybody() if key is None else key
        if key is None or key not in self.following:
            return None
        follow = self.following.pop(key)
        self.gone.append(key)
        if follow.hidden:
            self.hidden.remove(key)
        else:
            self._unlist(follow)
        self._counts.append((self.now, len(self.following)))
        return key

    def come_back(self, key: int | None = None) -> None:
        if key is None and self.gone:
            key = self.gone[self.rng.randrange(len(self.gone))]
        if key is not None and key not in self.following:
            self.gone.remove(key)
            self._enter(key, self.now)

    def leave_and_return(self, key: int | None = None) -> None:
        """Somebody unfollows and follows again at once: from the middle to the top, listed in the
        judge's eyes without a break."""
        key = self._anybody() if key is None else key
        if key is not None and self.listed(key):
            since = self.following[key].since
            self.leave(key)
            self.leavers.pop()
            self.gone.pop()
            self._enter(key, since)

    def rename(self) -> None:
        key = self._anybody()
        if key is not None:
            before = self.renames.setdefault(key, [])
            before.append((self.now, self.names[key]))
            self.names[key] = f"p{key}_{len(before)}"

    def deactivate(self) -> None:
        key = self._anybody()
        if key is not None:
            follow = self.following[key]
            follow.hidden = True
            self.hidden.append(key)
            self._unlist(follow)

    def reactivate(self) -> None:
        if self.hidden:
            key = self.hidden.pop(self.rng.randrange(len(self.hidden)))
            follow = self.following[key]
            follow.hidden, follow.since = False, self.now
            self.left_at.pop(key, None)
            insort(self.ranks, follow.rank)
            self._changed(follow.rank, listed=True)

    def _unlist(self, follow: Follow) -> None:
        self.ranks.pop(bisect_left(self.ranks, follow.rank))
        self.left_at[follow.key] = self.now
        self.leavers.append(Leaver(follow.key, follow.rank, self.now))
        self._changed(follow.rank, listed=False)

    def _anybody(self) -> int | None:
        if not self.ranks:
            return None
        return self.by_rank[self.ranks[self.rng.randrange(len(self.ranks))]].key

    def _changed(self, rank: int, *, listed: bool) -> None:
        self.version += 1
        self._log.append((self.now, rank, listed))

    # -- what is true ------------------------------------------------------------------------

    def listed(self, key: int) -> Follow | None:
        """Their follow, if a perfect lister would show them now."""
        follow = self.following.get(key)
        return None if follow is None or follow.hidden else follow

    def visible(self) -> set[int]:
        return {self.by_rank[rank].key for rank in self.ranks}

    def ranks_at(self, when: int) -> list[int]:
        """The ranks that were listed at a time, ascending."""
        before: dict[int, bool] = {}
        for at, rank, listed in reversed(self._log):
            if at <= when:
                break
            before[rank] = not listed
        if len(before) > 60:
            then = [rank for rank in self.ranks if before.get(rank, True)]
            then += [rank for rank, there in before.items() if there]
            return sorted(set(then))
        then = self.ranks.copy()
        for rank, there in before.items():
            index = bisect_left(then, rank)
            found = index < len(then) and then[index] == rank
            if there and not found:
                then.insert(index, rank)
            elif found and not there:
                del then[index]
        return then

    def name_at(self, key: int, when: int) -> str:
        for at, previous in self.renames.get(key, ()):
            if at > when:
                return previous
        return self.names[key]

    def count_at(self, when: int) -> int:
        """How many followed at a time, the deactivated among them."""
        index = bisect_left(self._counts, (when + 1,)) - 1
        return self._counts[max(0, index)][1]
