"""The bench measures the product and nothing else: it fails where what is stored is not true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import bulk, month, queries, scan, truth
from bench.ground import account
from bench.population import Churn, Population
from bench.results import TARGETS, Results, WrongResult

pytestmark = pytest.mark.slow  # measurements

FEW = 2000
FIELDS = {"what", "n", "value", "unit", "floor", "runs", "commit"}


@pytest.fixture
def results(tmp_path: Path, settings) -> Results:
    settings.THREADSITE_HOME = tmp_path
    return Results(tmp_path / "results.json")


def rows_of(results: Results) -> dict[str, dict[str, object]]:
    results.write()
    return {row["what"]: row for row in json.loads(results.file.read_text())}


@pytest.mark.django_db(transaction=True)
def test_imports_are_measured_and_every_row_has_the_promised_shape(results):
    bulk.measure(results, FEW, runs=1)

    rows = rows_of(results)
    assert {"first_load_over_copy", "no_change_over_parse", "changed_over_no_change"} <= set(rows)
    assert all(set(row) == FIELDS for row in rows.values())
    assert all(row["n"] == FEW and row["value"] > 0 for row in rows.values())
    assert set(rows) <= set(TARGETS)


@pytest.mark.django_db(transaction=True)
def test_full_scans_are_measured_on_a_list_that_does_not_change(results, settings):
    settings.INSTAGRAM_FOLLOWERS_EDGE = "followers"

    scan.measure(results, FEW, runs=1)

    assert rows_of(results)["no_change_calls"]["value"] <= 2


@pytest.mark.django_db(transaction=True)
def test_a_list_that_is_not_the_truth_fails_the_bench(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path
    population, linked = Population(50), account()
    bulk.import_list(linked, population, 0)
    truth.check_list(linked, population)

    population.churn(gained=1, lost=1, renamed=0)

    with pytest.raises(WrongResult, match="1 too many, 1 missing"):
        truth.check_list(linked, population)
    with pytest.raises(WrongResult, match="feed"):
        truth.check_feed(linked, 0, Churn(gained={"nobody"}))


def test_a_month_of_syncs_stays_within_the_budget_and_tells_no_false_loss():
    calls, worst_days = month.simulate(30_000, 1000)

    assert calls < 200 * 24 * 30
    assert worst_days < 15


def test_the_same_seed_gives_the_same_people_and_no_name_twice():
    one, other = Population(5000, seed=7), Population(5000, seed=7)

    assert (one.names, one.ids, one.seconds) == (other.names, other.ids, other.seconds)
    assert len(set(one.names)) == len(one) == len(set(one.ids))
    assert all(3 <= len(name) <= 30 for name in one.names)


def test_what_was_measured_before_is_kept_until_it_is_measured_again(tmp_path):
    file = tmp_path / "results.json"
    first = Results(file)
    first.add("first_load_over_copy", 10, [3.0, 1.0, 2.0], "ratio", floor=0.5)
    first.add("history_ms", 10, [0.1], "ms")
    first.write()
    second = Results(file)
    second.add("first_load_over_copy", 20, [4.0], "ratio", floor=0.5)
    second.write()

    rows = json.loads(file.read_text())
    assert [(row["what"], row["n"], row["value"]) for row in rows] == [
        ("first_load_over_copy", 20, 4.0),
        ("history_ms", 10, 0.1),
    ]


@pytest.mark.django_db(transaction=True)
def test_reads_are_measured_on_a_year_of_turnover(results):
    queries.measure_reads(results, queries.fill(FEW), FEW, runs=1)

    assert {"as_of_page_ms", "deep_page_ms", "series_ms"} <= set(rows_of(results))
