"""A drill does not pass where members were answered wrongly, however well all ended."""

from __future__ import annotations

import pytest

from drills.__main__ import WAYS, names
from drills.member import Address, Seen, Visitor
from drills.report import Report

HTML, JSON = "text/html", "application/problem+json"


def seen(what: str, status: int, kind: str, retry_after: str = "30") -> Report:
    """The report of a visitor who had this one answer."""
    visitor = Visitor({what: Address("http://site.invalid/", {})})
    visitor.answers.append(
        Seen(what, status, kind, began=1.0, seconds=0.1, retry_after=retry_after)
    )
    report = Report("something")
    report.saw(visitor, 0.0)
    return report


@pytest.mark.parametrize(
    ("what", "status", "kind", "retry_after"),
    [
        ("page", 500, HTML, ""),
        ("api", 503, HTML, "30"),
        ("api", 503, JSON, ""),
        ("page", 0, "", ""),
    ],
)
def test_a_fault_an_answer_of_the_wrong_kind_and_silence_fail_the_drill(
    what: str, status: int, kind: str, retry_after: str
) -> None:
    assert not seen(what, status, kind, retry_after).passed


@pytest.mark.parametrize(("what", "kind"), [("page", HTML), ("api", JSON)])
def test_an_outage_that_is_told_as_one_passes_and_stands_in_the_table(what: str, kind: str) -> None:
    report = seen(what, 503, kind)

    assert report.passed
    assert f"{what}: 1 × 503 | nothing |" in report.row()


def test_what_went_wrong_stands_in_the_table() -> None:
    row = seen("page", 500, HTML).row()

    assert "page was answered 1 × 500" in row


def test_the_table_runs_drills_that_exist() -> None:
    assert set(WAYS) <= set(names())
