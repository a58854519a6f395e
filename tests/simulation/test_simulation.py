"""The rules hold in the simulated world; each false loss ever found has its own test here."""

from __future__ import annotations

import pytest

from tests.simulation.__main__ import SETTINGS, main, scenarios, simulate
from tests.simulation.history import History, Result, Scenario


@pytest.mark.parametrize("setting", [name for name in SETTINGS if name != "nothing"])
def test_nobody_is_said_to_have_left_who_did_not(setting: str) -> None:
    result = Result()
    for scenario in scenarios(setting, syncs=240, seed=20_261_123):
        result.add(simulate(scenario)[1])

    assert result.false_losses == []
    assert result.not_held == []


def test_without_faults_everybody_who_left_is_reported_and_nobody_else() -> None:
    result = Result()
    for scenario in scenarios("nothing", syncs=600, seed=7):
        result.add(simulate(scenario)[1])

    assert result.lost > 0
    assert result.false_losses == []
    assert result.false_gains == []
    assert result.never == []
    assert result.not_held == []


def test_the_same_seed_gives_the_same_history() -> None:
    scenario = Scenario("all", dict.fromkeys(("cut", "shuffle", "error"), 0.3), 60, 20, 5, 60, 0.05)

    assert vars(History(scenario).run()) == vars(History(scenario).run())


def test_the_command_prints_a_table_and_succeeds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["simulation", "--syncs", "120", "--seed", "1", "--only", "kill"]
    )

    assert main() == 0
    assert "kills 10 %" in capsys.readouterr().out


FOUND: dict[str, Scenario] = {
    "an_empty_page_with_a_cursor_put_the_second_page_on_top": Scenario(
        "empty", {"empty": 0.3}, 200, 50, 829_673_738_800
    ),
    "places_of_an_older_numbering_testified_after_truncated_pages": Scenario(
        "truncate", {"truncate": 0.3}, 300, 50, 466_592_414_710
    ),
    "few_swapped_rows_put_somebody_on_the_wrong_page": Scenario(
        "shuffle", {"shuffle": 0.3}, 300, 50, 591_131_299_381
    ),
    "the_last_row_was_cut_for_twelve_days": Scenario(
        "cut and count", {"cut": 0.3, "count": 0.3}, 300, 20, 300_853_220_240
    ),
    "a_lasting_swap_was_believed_and_two_short_pages_testified": Scenario(
        "cut and shuffle", {"cut": 0.3, "shuffle": 0.3}, 300, 50, 845_867_715_747
    ),
    "somebody_put_too_low_was_believed_where_the_list_was_cut": Scenario(
        "all at 5 %",
        dict.fromkeys(
            ("empty", "cut", "truncate", "error", "duplicate", "shuffle", "count", "loop"), 0.05
        ),
        60,
        1000,
        879_142_250_287,
        kill=0.02,
    ),
    "a_short_list_numbered_anew_kept_a_lasting_swap": Scenario(
        "cut and shuffle", {"cut": 0.3, "shuffle": 0.3}, 8, 20, 215_154_951_913
    ),
    "a_lasting_swap_was_believed_on_the_page_read_again": Scenario(
        "cut and shuffle", {"cut": 0.3, "shuffle": 0.3}, 300, 50, 375_928_184_732
    ),
}
"""Histories in which a version of the rules lost people who had not left."""


@pytest.mark.parametrize("story", FOUND)
def test_a_false_loss_once_found_does_not_happen_again(story: str) -> None:
    result = History(FOUND[story]).run()

    assert result.false_losses == []
    assert result.not_held == []


STUCK: dict[str, Scenario] = {
    "heads_seemed_to_lead_back_up_for_good": Scenario(
        "duplicate", {"duplicate": 0.3}, 200, 20, 283_106_541_328
    ),
}
"""Histories in which a version of the rules never reported people who had left."""


@pytest.mark.parametrize("story", STUCK)
def test_who_left_is_reported_however_bad_the_days_before_were(story: str) -> None:
    result = History(STUCK[story]).run()

    assert result.never == []
    assert result.false_losses == []
