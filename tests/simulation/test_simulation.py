"""The simulation itself: repeatable, independent of the rules, and awake."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.simulation.__main__ import main, simulate
from tests.simulation.history import History
from tests.simulation.judge import Result
from tests.simulation.rows import ROWS, Row, Scenario, scenario
from tests.support import lanes

INDEPENDENT = (
    "population",
    "instagram",
    "fault",
    "faults",
    "answers",
    "judge",
    "rows",
    "history",
    "table",
    "door",
)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_the_world_the_lister_and_the_judge_know_nothing_of_the_rules(name: str) -> None:
    tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text())
    imported = [
        module
        for node in ast.walk(tree)
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    ]

    assert imported
    assert not [module for module in imported if module.startswith(("followersync", "accounts"))]


def test_the_same_seed_gives_the_same_history() -> None:
    given = replace(scenario(ROWS["all at once"], Random(5)), size=60, syncs=40)

    assert vars(History(given).run()) == vars(History(given).run())


def test_without_faults_everybody_who_left_is_told_and_nobody_else() -> None:
    given = replace(scenario(ROWS["nothing wrong"], Random(7)), size=100)

    result = simulate(given)[1]

    assert result.lost > 0
    assert result.false == result.never == result.not_held == result.unequal == []


def test_the_command_prints_a_table_and_succeeds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["simulation", "--syncs", "120", "--seed", "1", "--only", "kills 10 %"]
    monkeypatch.setattr("sys.argv", arguments)

    assert main() == 0
    assert "kills 10 %" in capsys.readouterr().out


WRONGS = ("false", "not_held", "unequal", "false_gains")
"""What no row may have; `make simulate` shows how often the other goals are missed."""


def _few(row: Row) -> list[Scenario]:
    """Two short histories of a row."""
    rng = Random(20_261_125)
    return [
        replace(scenario(row, rng, 90), size=rng.choice(row.sizes[:3] or (12, 60, 100, 200)))
        for _ in range(2)
    ]


@pytest.mark.parametrize(
    "name", lanes.one_in(8, [name for name in ROWS if name != "5,000 and 20,000 people"])
)
def test_nobody_is_told_wrongly_on_any_row(name: str) -> None:
    total = Result()
    for given in _few(ROWS[name]):
        total.add(simulate(given)[1])

    assert {kind: getattr(total, kind) for kind in WRONGS if getattr(total, kind)} == {}


STORIES: dict[str, tuple[tuple[str, ...], int, int]] = {
    "an empty page with a cursor puts the second page on top": (("empty 30 %",), 200, 50),
    "places of an older numbering testify after truncated pages": (("truncate 30 %",), 300, 50),
    "few swapped rows put somebody on the wrong page": (("shuffle 30 %",), 300, 50),
    "the last row is cut while the count is wild": (("cut 30 %", "wild count"), 300, 20),
    "a lasting swap is believed and short pages testify": (("cut 30 %", "shuffle 30 %"), 300, 50),
    "a short list numbered anew keeps a lasting swap": (("cut 30 %", "shuffle 30 %"), 8, 20),
}
"""How people were falsely lost once: faults, size, rows a page."""


SEEDS = range(4)
LIMITS = (("a short list numbered anew keeps a lasting swap", 1),)
"""Histories in which the end of a list is withheld for longer than is waited for, while the count
is nonsense or comes down for others: a limit that docs/losses.md names."""


def _retold(story: str, seed: int) -> Result:
    kinds, size, page_limit = STORIES[story]
    return simulate(Scenario("two together, 1", seed, size, page_limit, kinds))[1]


@pytest.mark.parametrize("story", list(STORIES))
def test_a_kind_of_false_loss_once_found_does_not_happen_again(story: str) -> None:
    total = Result()
    for seed in SEEDS:
        if (story, seed) not in LIMITS:
            total.add(_retold(story, seed))

    assert total.false == total.not_held == []


@pytest.mark.xfail(strict=True, reason="the end of the list is withheld beyond all patience")
@pytest.mark.parametrize(("story", "seed"), LIMITS)
def test_whoever_is_withheld_beyond_all_patience_is_not_lost(story: str, seed: int) -> None:
    assert _retold(story, seed).false == []
