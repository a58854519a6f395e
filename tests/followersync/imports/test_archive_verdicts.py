"""SQL gives whoever an archive does not show the verdict of the pure rule, and no other.

If the two differ, what is simulated and reasoned about is not what members are told.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from followersync.domain.archive_completeness import DateSpan
from followersync.domain.archive_losses import recorded
from followersync.domain.archive_people import (
    Export,
    ListedVerdict,
    PriorFacts,
    StoredPerson,
    decide,
)
from followersync.domain.values import LOOKS_APART, Absence
from followersync.models import Absence as AbsenceRow
from followersync.models import Follower, FollowerChange, PastFollow
from followersync.services.imports import judgement
from followersync.services.imports.context import ImportContext
from followersync.store import archive_apply, archive_compare

ACCOUNT = 7
START = 1_600_000_000
NOW = START + 90 * 86_400


class Given:
    """A random list, what was known of it, and an export that falls short in some way."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        # Most faults hide whatever else is judged: in three of four worlds they are rare.
        self.calm = self.random.random() < 0.75
        self.held = self._held()
        self.before = self._before()
        self.export = self._export()

    def _held(self) -> list[StoredPerson]:
        rows, second = [], START
        ids = self.random.choice((0.0, 0.0, 0.3, 1.0))
        for number in range(1, self.random.choice((3, 12, 40, 90, 90))):
            second += self.random.choice((0, 1, 30, 59, 60, 4_000))
            known_by_id = self.random.random() < ids
            dated = self.random.random() < (0.5 if known_by_id else 0.95)
            since = second if dated else None
            place = (1 << 61) - number * 100 if known_by_id else (since or 0) << 12
            renamed = None if known_by_id else self._maybe(0.05, NOW - 50)
            rows.append(
                StoredPerson(
                    number if known_by_id else -number,
                    f"p{number}",
                    since,
                    place,
                    self._maybe(0.3, NOW - self.random.choice((100, 20 * 86_400))),
                    renamed,
                    self._absence(),
                )
            )
        return rows

    def _fault(self, chance: float) -> bool:
        return self.random.random() < (chance / 10 if self.calm else chance)

    def _maybe(self, chance: float, value: int) -> int | None:
        return value if self.random.random() < chance else None

    def _absence(self) -> Absence | None:
        if self.random.random() > 0.3:
            return None
        last = NOW - self.random.choice((10, LOOKS_APART, LOOKS_APART + 1, 30 * 86_400))
        looks, witnessed = self.random.randint(0, 3), self.random.randint(0, 2)
        return Absence(last - 500, looks, witnessed, last_at=last)

    def _before(self) -> PriorFacts:
        pick = self.random.choice
        size = len(self.held)
        past = {f"new{n}": -1000 - n for n in range(3)} if pick((True, False)) else {}
        earlier = pick((NOW - 3_600, NOW - 30 * 86_400, None))
        return PriorFacts(
            newer=not self._fault(0.3),
            earliest=earlier if self._fault(0.6) else NOW,
            latest=NOW,
            until=NOW,
            repeated=self._fault(0.1),
            edge_at=NOW if self._fault(0.2) else pick((None, NOW - 86_400)),
            edge_whole_at=pick((None, None, START + 40_000)),
            edge_older=pick((True, False)),
            looked=NOW - 86_400 if self._fault(0.5) else pick((None, START + 50_000)),
            covered=pick(((), ((START, START + 9_000),))),
            last_people=size * 2 if self._fault(0.3) else pick((None, size)),
            last_parts=pick((None, 1, 3)),
            last_reasons=frozenset(pick(((), ("count_short",), ("strangers",)))),
            complete=pick((True, False)),
            reported=size * 2 if self._fault(0.3) else pick((None, size)),
            baseline_at=pick((None, NOW - 10 * 86_400)),
            past=past,
        )

    def _export(self) -> Export:
        random = self.random
        rows: list[tuple[str, int | None]] = [(row.name, row.since) for row in self.held]
        gone = 0.3 if self._fault(0.3) else random.choice((0.0, 0.03, 0.08))
        rows = [row for row in rows if random.random() >= gone]
        if rows and random.random() < 0.3:
            start = random.randrange(len(rows))
            del rows[start : start + random.choice((3, 5, 9, 30))]
        dates = random.choice((0.5, 1.0)) if self._fault(0.4) else random.choice((0.0, 0.03))
        one = self._fault(0.3)
        rows = [(n, self._redated(s, one) if random.random() < dates else s) for n, s in rows]
        renamed = [(f"r_{row.name}", row.since) for row in self.held if random.random() < 0.02]
        rows = [row for row in rows if f"r_{row[0]}" not in dict(renamed)] + renamed
        for number in range(random.choice((0, 0, 1, 3, 20))):
            odd = random.choice((START + 777, self.held[0].since if self.held else None, None))
            second = odd if self._fault(0.6) else NOW - 3_000
            rows.append((f"new{number}", second))
        minute = random.random() < 0.2
        if minute:
            rows = [(n, None if s is None else s // 60 * 60) for n, s in rows]
        rows.sort(key=lambda row: -(row[1] or 0))
        return Export(
            self._parts(rows),
            DateSpan(START - 10**9 * self._fault(0.3), NOW, 50),
            part_missing=self._fault(0.1),
            minute=minute,
            nameless=(START + 4_001,) if self._fault(0.3) else (),
            unnamed=self._fault(0.1),
        )

    def _redated(self, second: int | None, one: bool) -> int:
        if one:
            return NOW - 1_000
        return self.random.choice(((second or START) + 30, (second or START) + 86_400, NOW - 5))

    def _parts(
        self, rows: Sequence[tuple[str, int | None]]
    ) -> tuple[tuple[tuple[str, int | None], ...], ...]:
        size = self.random.choice((10, 30, 1_000))
        parts = [tuple(rows[start : start + size]) for start in range(0, len(rows), size)]
        if len(parts) > 1 and self._fault(0.2):
            parts.append(parts[0])
        elif self._fault(0.2):
            self.random.shuffle(parts)
        return tuple(parts)

    def store(self) -> None:
        """The list, as the database has it."""
        for row in self.held:
            Follower.objects.create(
                account_id=ACCOUNT,
                key=row.key,
                place=row.place,
                first_seen_at=_moment(row.first_seen_at),
                since=_moment(row.since),
                username=row.name,
            )
            if row.renamed_at is not None:
                FollowerChange.objects.create(
                    account_id=ACCOUNT,
                    position=-row.key,
                    key=row.key,
                    at=_at(row.renamed_at),
                    kind="renamed",
                )
            if row.absence is not None:
                put_absence(row.key, row.absence)
        for name, key in self.before.past.items():
            PastFollow.objects.create(
                account_id=ACCOUNT, key=key, username=name, valid_to=_at(START)
            )

    def by_sql(
        self,
    ) -> tuple[judgement.ArchiveJudgement, dict[object, tuple[str | None, str | None]]]:
        """What SQL makes of it: the verdict and the new name of each key, or unknown name."""
        lines = [line for part in self.export.parts for line in part]
        spool = "".join(f"{n}\t{'' if s is None else s}\n" for n, s in lines).encode()
        archive_compare.stage(io.BytesIO(spool))
        judged = judgement.judge(self._account(), self._shown(), self._known())
        with connection.cursor() as cursor:
            cursor.execute("SELECT key, username, act, new_name, listed FROM delta")
            acts = {
                (name if key is None or act == "returned" else key): (act, new)
                for key, name, act, new, _ in cursor
                if act is not None
            }
        return judged, acts

    def _account(self) -> judgement.AccountFacts:
        before = self.before
        return judgement.AccountFacts(
            ACCOUNT, before.reported, _moment(before.baseline_at), before.complete
        )

    def _shown(self) -> judgement.ArchiveFigures:
        seconds = [s for part in self.export.parts for _, s in part if s is not None]
        span = DateSpan(min(seconds, default=None), max(seconds, default=None), len(seconds))
        export = self.export
        return judgement.ArchiveFigures(
            span,
            export.following,
            export.ranges,
            sum(map(len, export.parts)),
            export.part_missing,
            export.nameless,
            export.unnamed,
            export.minute,
        )

    def _known(self) -> ImportContext:
        before = self.before
        return ImportContext(
            newer=before.newer,
            looked=before.looked,
            until=before.until,
            edge_looked=before.edge_whole_at,
            edge_older=before.edge_older,
            covered=before.covered,
            earliest=before.earliest,
            latest=before.latest,
            repeated=before.repeated,
            edge_at=before.edge_at,
            last_people=before.last_people,
            last_parts=before.last_parts,
            again=False,
            kind="whole",
            reasons=tuple(before.last_reasons),
            head_after=None,
            unconfirmed=True,
        )


def _at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _moment(second: int | None) -> datetime | None:
    return None if second is None else _at(second)


def put_absence(key: int, absence: Absence) -> None:
    AbsenceRow.objects.create(
        account_id=ACCOUNT,
        key=key,
        unconfirmed_since=_at(absence.since),
        looks=absence.looks,
        witnessed=absence.witnessed,
        last_at=_at(absence.last_at),
    )


def absences() -> dict[int, Absence]:
    rows = AbsenceRow.objects.filter(account_id=ACCOUNT)
    return {
        row.key: Absence(
            int(row.unconfirmed_since.timestamp()),
            row.looks,
            row.witnessed,
            last_at=int(row.last_at.timestamp()),
            at=tuple(row.look_times),
        )
        for row in rows
    }


def expected_absences(case: Given, decision) -> dict[int, Absence]:
    people, kept = case.export.people, {}
    look = decision.look
    for row in case.held:
        absence = row.absence
        if row.name not in people:
            absence = recorded(look, absence, decision.acts.get(row.key))
        elif absence and look.shows and absence.last_at <= (look.earliest or 0):
            absence = None
        if absence is not None:
            kept[row.key] = absence
    return kept


@pytest.mark.django_db
@settings(
    max_examples=settings.default.max_examples * 5 // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 1 << 32))
def test_sql_and_the_pure_rule_say_the_same_of_everybody(seed: int) -> None:
    case = Given(seed)
    decision = decide(case.export, case.held, case.before)
    with transaction.atomic():
        case.store()
        judged, acts = case.by_sql()
        archive_apply.write_absences(ACCOUNT, judged.look)
        kept = absences()
        transaction.set_rollback(True)

    wanted: dict[object, tuple[str | None, str | None]] = {
        key: (act.value, decision.renamed.get(key)) for key, act in decision.acts.items()
    }
    wanted |= {name: (entry.value, None) for name, entry in decision.entries.items()}
    assert judged.look == decision.look
    assert acts == wanted
    assert kept == expected_absences(case, decision)


def test_the_worlds_of_this_test_bring_about_every_verdict() -> None:
    """Otherwise the comparison above would compare nothing."""
    met: set[str] = set()
    for seed in range(600):
        case = Given(seed)
        decision = decide(case.export, case.held, case.before)
        met |= {act.value for act in (*decision.acts.values(), *decision.entries.values())}
        met |= {flaw.value for flaw in decision.look.flaws} | {decision.look.weight.value}

    missing = {"lost", "missed", "doubtful", "block", "shown", "waiting", "renamed"}
    assert missing | {entry.value for entry in ListedVerdict} <= met
    assert {"nothing", "shows", "counts", "size", "redated", "part_twice", "strangers"} <= met
