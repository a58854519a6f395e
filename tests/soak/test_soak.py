"""The soak's harness cannot rot, and its judgement notices what it is for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tests.soak.kinds import KINDS, Listed, Spell
from tests.soak.report import JUDGED, lines
from tests.soak.truth import Person
from tests.soak.verdict import Verdict, judge_change, judge_loss
from tests.soak.watch import Watch

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def loss(*gone: tuple[float, float | None], since: float, at: float) -> Verdict:
    """The judgement of a loss; hours from noon, None: still gone."""
    person = Person(
        [(NOON + start * HOUR, None if end is None else NOON + end * HOUR) for start, end in gone]
    )
    verdict = Verdict()
    judge_loss("here", "honest", person, NOON + since * HOUR, NOON + at * HOUR, verdict)
    return verdict


def test_a_loss_of_somebody_who_never_left_is_false() -> None:
    found = loss(since=1, at=8)

    assert found.kinds["honest"].false == 1
    assert not found.well


def test_a_loss_is_false_that_rests_on_looks_after_the_person_came_back() -> None:
    assert loss((-20, -10), since=1, at=8).false_losses
    assert loss((10, None), since=1, at=8).false_losses


def test_a_loss_of_somebody_who_was_gone_at_one_of_the_looks_is_true() -> None:
    assert loss((0, None), since=1, at=8).well
    assert loss((0, 2), since=1, at=8).well
    assert loss((0, None), since=1, at=8).kinds["honest"].delays == [8]


def test_a_person_lost_twice_in_a_row_is_a_duplicate() -> None:
    account = Listed(1, "1784", "honest", 30)
    truth = SimpleNamespace(people={"1784": {"5": Person([(NOON, None)])}}, came={"1784": {}})
    verdict, present = Verdict(), dict[int, bool]()
    for position in (1, 2):
        row = SimpleNamespace(kind="lost", key=5, at=NOON + HOUR, position=position)
        judge_change(account, row, present, truth, Watch(), verdict)

    assert len(verdict.duplicates) == 1


def test_a_list_may_be_called_whole_while_nobody_can_know_better_and_no_longer() -> None:
    capped = Listed(1, "1784", "capped", 100, spell=Spell({"cap_rows": 80}, cap=80))
    watch = Watch()
    watch.note_claim(capped, True, 100, NOON)
    watch.note_claim(capped, True, 100, NOON + 5 * HOUR)
    # So many have left meanwhile that the cap hides nobody: the claim is true.
    watch.note_claim(capped, True, 82, NOON + 30 * HOUR)
    watch.note_claim(capped, True, 100, NOON + 31 * HOUR)
    watch.note_claim(capped, False, 100, NOON + 60 * HOUR)
    assert not watch.false_claims

    watch.note_claim(capped, True, 100, NOON + 61 * HOUR)

    assert watch.false_claims


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_small_soak_runs_to_its_judgement() -> None:
    """Half a minute of faults is too little for the truth to come out: no equality is asked for."""
    arguments = ["--accounts", "9", "--minutes", "0.5", "--speed", "2400", "--calm-days", "0.7"]
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}

    run = subprocess.run(
        [sys.executable, "-m", "tests.soak", *arguments, "--seed", "5", "--port", _free_port()],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=270,
    )

    assert run.returncode in (0, 1), run.stdout + run.stderr
    assert not run.stderr.count("Traceback"), run.stderr
    told = run.stdout.splitlines()
    table = [line[:18].strip() for line in told]
    assert set(KINDS) <= set(table), run.stdout
    figures = dict(line.split(": ", 1) for line in told if line.split(": ")[0] in _judged())
    assert {figures[name] for name in ("gaps", "duplicates", "stuck")} == {"0"}, run.stdout
    assert set(figures) == _judged()
    assert told[-1] in ("all is well", "NOT well")


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _judged() -> set[str]:
    return {name.replace("_", " ") for name in JUDGED}


def test_the_report_shows_each_kind_and_what_is_wrong() -> None:
    told = "\n".join(lines(loss(since=1, at=8)))

    assert "honest" in told
    assert "false losses: 1" in told
    assert "doubted since" in told
