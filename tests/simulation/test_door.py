"""Other worlds drive the engine through the door; the page that says how is tried here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.simulation import Account, Page, Refused, Transient

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
DAY = 86_400


class Names:
    """A list by Instagram's own ids, strings of digits; the cursor is a number of rows."""

    def __init__(self, people: int, count: int | None) -> None:
        self.rows = [(f"1784{number:013}", f"person.{number}") for number in range(people)]
        self.told = count
        self.failure: Exception | None = None

    def count(self, now: int) -> int | None:
        return self.told

    def page(self, now: int, after: int | None, limit: int) -> Page:
        if after is not None and self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        start = after or 0
        end = start + limit
        return Page(self.rows[start:end], end if end < len(self.rows) else None)


def days(account: Account, until: int, now: int = 0) -> list[str]:
    """Whom the syncs that fall due until then tell as lost."""
    lost: list[str] = []
    while now < until:
        lost += account.sync(now).lost
        now = max(now + 1, account.next_due)
    return lost


def test_the_example_of_the_page_runs_and_tells_the_loss() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {}

    exec(compile(example, str(PAGE), "exec"), names)

    assert names["lost"] == [500]


def test_ids_and_cursors_come_back_as_the_world_gave_them() -> None:
    world = Names(120, 120)
    account = Account(world, page_limit=50)
    days(account, 2 * DAY)
    left = world.rows.pop(60)
    world.told = 119

    lost = days(account, 20 * DAY, 2 * DAY)

    assert lost == [left[0]]
    assert account.held == dict(world.rows)
    assert account.unconfirmed == {}


@pytest.mark.parametrize("failure", [Transient(), Refused()])
def test_an_error_or_a_cursor_refused_loses_nobody_and_the_reading_goes_on(
    failure: Exception,
) -> None:
    world = Names(120, 120)
    account = Account(world, page_limit=50)
    world.failure = failure

    lost = days(account, DAY)

    assert lost == []
    assert len(account.held) == 120


def test_a_whole_reading_and_its_calls_are_reported() -> None:
    account = Account(Names(120, 120), page_limit=50)

    report = account.sync(0)

    assert report.whole
    assert report.calls > 3
    assert account.next_due > 0
