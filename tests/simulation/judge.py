"""Decides what an account told wrongly, from the world's and the lister's own record alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.door import Report
from tests.simulation.instagram import Answer, Instagram
from tests.simulation.population import DAY, HOUR, Follow, Leaver

if TYPE_CHECKING:
    from tests.simulation.account import Account
    from tests.simulation.rows import Scenario

BETWEEN_LOOKS = 6 * HOUR
"""Two looks are at least so long apart: who is withheld for less is to be recognised."""
END_WITHHELD = 3 * DAY
"""So long the end of a list must be gone before it cannot be told from people who left."""
SHOWN_SHARE, SHOWN_FEW = 0.05, 2


@dataclass
class Result:
    """What was seen in histories; every field adds up over them."""

    syncs: int = 0
    faulty: int = 0
    histories: int = 0
    bad_histories: int = 0
    lost: int = 0
    gained: int = 0
    found: int = 0
    returned: int = 0
    calls: int = 0
    quiet_calls: list[int] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    same_as_row: list[str] = field(default_factory=list)
    same_as_end: list[str] = field(default_factory=list)
    same_as_first: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    false_gains: list[str] = field(default_factory=list)
    not_held: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    false_complete: list[str] = field(default_factory=list)
    tiny: list[tuple[int, float]] = field(default_factory=list)
    short: list[tuple[int, float]] = field(default_factory=list)
    long: list[tuple[int, float]] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    first_looks: int = 0
    first_seen: int = 0
    after_end: list[float] = field(default_factory=list)

    def add(self, other: Result) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Judge:
    """`after_each` sync; `at_end` once all is calm. `faults_end`: when the last fault ended."""

    def __init__(self, scenario: Scenario, instagram: Instagram, account: Account) -> None:
        self.scenario, self.instagram, self.account = scenario, instagram, account
        self.world = instagram.world
        self.result = Result(histories=1)
        self.first_list_at: int | None = None
        self.faults_end: int | None = None
        self._began_first: int | None = None
        self._missed: dict[int, int] = {}
        self._pending: list[Leaver] = []
        self._syncs: list[int] = []
        self._ever: set[int] = set()
        self._shown_last: set[int] = set()
        self._shown_now: set[int] = set()
        self._judged_answers = self._leavers_seen = 0

    # -- after each sync ---------------------------------------------------------------------

    def after_each(self, report: Report, began: int) -> None:
        result = self.result
        result.syncs += 1
        result.calls += report.calls
        self._syncs.append(began)
        answers = self.instagram.answers[self._judged_answers :]
        self._judged_answers = len(self.instagram.answers)
        for key in report.lost:
            self._lost(key, began)
        for key in report.gained:
            self._gained(key)
        result.gained += len(report.gained)
        result.found += len(report.found)
        result.returned += len(report.returned)
        self._remember_missed(began)
        if self.scenario.honest:
            self._first_looks(answers, report, began)
            told = report.lost or report.gained or report.found or report.returned
            if self.first_list_at is not None and not told and not self._missed:
                result.quiet_calls.append(report.calls)
        self._complete(answers, report)
        if self.first_list_at is None:
            self._began_first = began if self._began_first is None else self._began_first
            if report.whole:
                self.first_list_at = self._began_first

    def _remember_missed(self, began: int) -> None:
        """Since when each is unconfirmed; not earlier than the sync that first told."""
        unconfirmed = self.account.unconfirmed
        self._missed = {
            key: self._missed[key] if key in self._missed else max(since, began)
            for key, since in unconfirmed.items()
        }

    def _lost(self, key: int, began: int) -> None:
        result, now = self.result, self.account.now
        result.lost += 1
        since = self._missed.get(key, began)
        result.waits.append(now - since)
        follow = self.world.listed(key)
        if follow is not None and follow.since <= since:
            self._false(follow, since, now)
        elif (left := self.world.left_at.get(key)) is not None:
            self._told_after(key, left, now)

    def _told_after(self, key: int, left: int, now: int) -> None:
        syncs = len(self._syncs) - bisect_right(self._syncs, left)
        if self.scenario.honest:
            size = self.scenario.size
            result = self.result
            where = result.tiny if size < 6 else result.short if size < 30 else result.long
            where.append((syncs, (now - left) / DAY))
        if self.faults_end is not None and left < self.faults_end:
            self.result.after_end.append((now - self.faults_end) / DAY)

    def _gained(self, key: int) -> None:
        """Told as new, though following since before the first list was read."""
        follow = self.world.listed(key)
        if self.first_list_at is None or follow is None or follow.since >= self.first_list_at:
            return
        note = self._note(key, "gained")
        if self._same_as_newcomer(follow):
            self.result.same_as_first.append(note)
        else:
            self.result.false_gains.append(note)

    def _same_as_newcomer(self, follow: Follow) -> bool:
        """A hole was there while the first list was read, above all who were shown, and stayed:
        nobody shown before this sync stands higher, and no answer ever showed them."""
        for answer in self.instagram.answers:
            if answer.at >= self._syncs[-1]:
                break
            if answer.ranks and max(answer.ranks) >= follow.rank:
                return False
        return True

    # -- cannot be told apart ----------------------------------------------------------------

    def _false(self, follow: Follow, since: int, now: int) -> None:
        note = self._note(follow.key, "lost")
        missed = self._syncs[max(0, bisect_right(self._syncs, since) - 1)]
        looks = [
            answer
            for answer in self.instagram.answers
            if missed <= answer.at <= now and answer.covers(follow.rank)
        ]
        agrees = bool(looks) and self._count_agrees(missed, now)
        if agrees and now - since >= BETWEEN_LOOKS and self._in_intact_pages(follow, looks):
            self.result.same_as_row.append(note)
        elif agrees and now - since >= END_WITHHELD and self._at_the_end(follow, looks):
            self.result.same_as_end.append(note)
        else:
            self.result.false.append(note)

    def _count_agrees(self, missed: int, now: int) -> bool:
        """Every count answered since `missed` (when the sync that missed them began) exceeds what
        was shown by no more than it did when last everybody was shown."""
        usual: list[int] = []
        told: list[int] = []
        for at, value, shown, listed in self.instagram.counts:
            if value is not None and at <= now:
                if at >= missed:
                    told.append(value - shown)
                elif shown == listed:
                    usual.append(value - shown)
        return bool(usual) and bool(told) and max(told) <= max(usual[-3:])

    def _in_intact_pages(self, follow: Follow, looks: list[Answer]) -> bool:
        """In two looks or more, and in every one, the nearest on either side were shown."""
        ranks = self.world.ranks
        at = bisect_left(ranks, follow.rank)
        if not 0 < at < len(ranks) - 1:
            return False
        below, above = ranks[at - 1], ranks[at + 1]
        return len(looks) > 1 and all(
            follow.rank not in look.ranks and below in look.ranks and above in look.ranks
            for look in looks
        )

    def _at_the_end(self, follow: Follow, looks: list[Answer]) -> bool:
        """Every look that reached the end showed nobody as old."""
        ends = [look for look in looks if look.last]
        return len(ends) > 1 and all(min(look.ranks, default=0) > follow.rank for look in ends)

    # -- first looks, completeness -----------------------------------------------------------

    def _first_looks(self, answers: list[Answer], report: Report, began: int) -> None:
        """Whoever left before a look that could miss them is unconfirmed after it."""
        leavers = self.world.leavers
        if self.first_list_at is not None:
            # Whoever was never shown cannot be missed.
            self._pending += [
                one for one in leavers[self._leavers_seen :] if one.rank in self._ever
            ]
        self._leavers_seen = len(leavers)
        for answer in answers:
            self._ever.update(answer.ranks)
        if not self._pending or report.failed:
            return
        waiting = []
        for leaver in self._pending:
            if self.world.left_at.get(leaver.key) != leaver.at:
                continue
            if leaver.at >= began:  # shown by one page, perhaps, and missed by the next
                waiting.append(leaver)
                continue
            if not any(answer.covers(leaver.rank) for answer in answers):
                waiting.append(leaver)
                continue
            self.result.first_looks += 1
            self.result.first_seen += leaver.key in self._missed or leaver.key in report.lost
        self._pending = waiting

    def _complete(self, answers: list[Answer], report: Report) -> None:
        """`complete` is claimed although the last count tells of more than was shown since the
        whole list was last read."""
        for answer in answers:
            self._shown_now.update(answer.ranks)
        if self.account.complete and self.instagram.counts:
            value = self.instagram.counts[-1].value
            if value is not None and not self._shows(value - max(SHOWN_FEW, SHOWN_SHARE * value)):
                note = f"complete, {self._shown()} shown of {value}"
                self.result.false_complete.append(self._note(0, note))
        if report.whole:
            self._shown_last, self._shown_now = self._shown_now, set()

    def _shows(self, least: float) -> bool:
        return len(self._shown_last) >= least or self._shown() >= least

    def _shown(self) -> int:
        return len(self._shown_last | self._shown_now)

    # -- at the end --------------------------------------------------------------------------

    def after_clean_days(self) -> None:
        """Whoever left before the last fault ended and has not been told in two clean weeks; and
        whoever follows and is not in the list."""
        held, visible = self.account.held, self.world.visible()
        end = self.faults_end or 0
        for key in held:
            left = self.world.left_at.get(key)
            if key not in visible and left is not None and left < end:
                self.result.never.append(self._note(key, "never told"))
        for key in visible:
            if key not in held and self.world.following[key].since < end:
                self.result.not_held.append(self._note(key, "not held"))

    def at_end(self) -> None:
        """Nobody came or went for a while: the list must be the truth."""
        out = self.account.unconfirmed.keys() | self.account.beyond
        held, visible = self.account.held.keys() - out, self.world.visible()
        if held != visible:
            note = f"unequal: {len(held - visible)} too many, {len(visible - held)} missing"
            self.result.unequal.append(self._note(0, note))
        result = self.result
        result.bad_histories = int(bool(result.false))

    def _note(self, key: int, what: str) -> str:
        return f"{what}: person {key} at sync {self.result.syncs} of {self.scenario}"
