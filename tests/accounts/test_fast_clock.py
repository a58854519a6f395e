"""CLOCK_SPEED: hours can be watched, nothing runs backwards, and no public site runs fast."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.template import Context, Template

from accounts import clock
from accounts.fast_clock import FILE, MARK, FastClock, are_all_local
from tests.support.database import ENVIRONMENT

START = 1_800_000_000.0


class Real:
    """Real time that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def real() -> Real:
    return Real()


def test_a_minute_is_an_hour(tmp_path: Path, real: Real) -> None:
    fast = FastClock(tmp_path, 60, real=real)
    assert fast.unix() == START

    real.seconds += 60

    assert fast.unix() == START + 3600
    assert fast.now() == datetime.fromtimestamp(START + 3600, UTC)
    assert fast.wall() == datetime.fromtimestamp(START + 60, UTC)


def test_whoever_comes_later_reads_the_same_time(tmp_path: Path, real: Real) -> None:
    first = FastClock(tmp_path, 60, real=real)
    for _second in range(100):
        real.seconds += 1
        first.unix()

    second = FastClock(tmp_path, 60, real=real)
    real.seconds += 7

    assert second.unix() == first.unix() == START + 107 * 60


def test_a_restart_goes_on_where_it_stopped_and_a_night_is_a_night(
    tmp_path: Path, real: Real
) -> None:
    fast = FastClock(tmp_path, 60, real=real)
    real.seconds += 600
    last = fast.unix()

    real.seconds += 8 * 3600
    again = FastClock(tmp_path, 60, real=real)

    assert last < again.unix() <= last + 8 * 3600 + 120
    real.seconds += 10
    assert again.unix() >= last + 8 * 3600 + 600


def test_no_restart_turns_it_back_however_soon_and_at_whatever_speed(
    tmp_path: Path, real: Real
) -> None:
    last = START
    for turn in range(200):
        fast = FastClock(tmp_path, (60, 1, 600)[turn % 3], real=real)
        assert fast.unix() >= last
        real.seconds += (0.3, 2, 14.9, 15.1, 40)[turn % 5]
        last = fast.unix()


def test_a_speed_set_anew_is_everybodys_and_moves_no_time(tmp_path: Path, real: Real) -> None:
    first = FastClock(tmp_path, 60, real=real)
    real.seconds += 5
    before = first.unix()

    second = FastClock(tmp_path, 10, real=real)

    assert first.unix() == second.unix() == before
    assert first.speed == 10
    real.seconds += 6
    assert first.unix() == second.unix() == before + 60


def test_a_machines_clock_that_is_set_back_turns_nothing_back(tmp_path: Path, real: Real) -> None:
    fast = FastClock(tmp_path, 60, real=real)
    real.seconds += 30
    before = fast.unix()

    real.seconds -= 20

    assert fast.unix() == before


def test_a_damaged_file_stops_nobody(tmp_path: Path, real: Real) -> None:
    (tmp_path / FILE).write_text("{")

    assert FastClock(tmp_path, 60, real=real).unix() == START
    assert json.loads((tmp_path / FILE).read_text())["speed"] == 60
    assert (tmp_path / MARK).exists()


def test_several_processes_agree(tmp_path: Path) -> None:
    """Read at the same real moment, theirs differ by less than their reading takes."""
    program = (
        "import sys, time; from pathlib import Path; from accounts.fast_clock import FastClock;"
        "c = FastClock(Path(sys.argv[1]), 3600); r = time.time(); print(c.unix() - r * 3600)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
        for _process in range(4)
    ]
    told = [float(each.communicate(timeout=60)[0]) for each in running]

    # An hour a second: a second's disagreement would be 3,600.
    assert max(told) - min(told) < 360


@pytest.fixture
def hurried(tmp_path: Path, real: Real):
    """The site's own clock runs sixty times as fast, and is ten hours ahead."""
    fast = FastClock(tmp_path, 60, real=real)
    real.seconds += 600
    clock.run_fast(fast)
    yield real
    clock.run_fast(None)


def test_the_sites_clock_is_the_fast_one_and_real_spans_stay_real(hurried: Real) -> None:
    began = clock.now()
    assert began == datetime.fromtimestamp(START + 36_000, UTC)
    assert clock.wall() == datetime.fromtimestamp(START + 600, UTC)

    lease = began + clock.for_real(timedelta(seconds=30))
    hurried.seconds += 29
    assert clock.now() < lease
    hurried.seconds += 2

    assert clock.now() > lease
    assert clock.real_seconds(timedelta(hours=1)) == 60


def test_pages_tell_how_long_ago_by_the_same_clock(hurried: Real) -> None:
    """Else a member would read that they were looked at in ten hours from now."""
    ahead = clock.ahead()
    at = datetime.now(UTC) + ahead - timedelta(hours=2, minutes=1)

    told = Template("{{ at|ago }}").render(Context({"at": at}))
    today = Template("{% today as now %}{{ now|date:'c' }}").render(Context())

    assert "2" in told
    assert "ago" in told
    assert abs(datetime.fromisoformat(today) - datetime.now(UTC) - ahead) < timedelta(seconds=60)


@pytest.mark.parametrize(
    ("addresses", "here"),
    [
        (["http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:9"], True),
        (["http://127.0.0.1:8000", "https://graph.instagram.com"], False),
        (["http://10.0.0.5"], False),
        (["http://localhost.example.org"], False),
        ([""], False),
    ],
)
def test_only_this_machine_is_this_machine(addresses: list[str], here: bool) -> None:
    assert are_all_local(*addresses) is here


def started(tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    settings = {**ENVIRONMENT, "PATH": os.environ["PATH"], "THREADSITE_HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-c", "from threadsite import settings as s; print(s.CLOCK_FOLDER)"],
        env=settings | changes,
        capture_output=True,
        text=True,
        check=False,
    )


SANDBOX = dict.fromkeys(
    ("PUBLIC_URL", "INSTAGRAM_OAUTH_URL", "INSTAGRAM_API_URL", "INSTAGRAM_GRAPH_URL"),
    "http://127.0.0.1:8999",
)


@pytest.mark.parametrize("name", list(SANDBOX))
def test_a_site_that_others_can_reach_does_not_start_with_a_fast_clock(
    tmp_path: Path, name: str
) -> None:
    addresses = SANDBOX | {name: "https://threads.example"}

    outcome = started(tmp_path, CLOCK_SPEED="60", **addresses)

    assert outcome.returncode != 0
    assert "CLOCK_SPEED is 60" in outcome.stderr
    assert "Unset it" in outcome.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "1.5", "3601"])
def test_a_speed_that_is_none_is_named(tmp_path: Path, speed: str) -> None:
    outcome = started(tmp_path, CLOCK_SPEED=speed, **SANDBOX)

    assert outcome.returncode != 0
    assert "CLOCK_SPEED must" in outcome.stderr


def test_a_fast_clock_of_an_earlier_demo_is_followed_there_and_nowhere_else(
    tmp_path: Path,
) -> None:
    assert started(tmp_path, **SANDBOX).stdout.strip() == "None"
    (tmp_path / FILE).write_text("{}")

    assert started(tmp_path, **SANDBOX).stdout.strip() == str(tmp_path)
    assert started(tmp_path).stdout.strip() == "None"


def test_the_check_names_a_fast_clock_that_slipped_in(settings) -> None:
    settings.CLOCK_SPEED = 60

    assert "accounts.E020" in {each.id for each in run_checks()}

    for name in SANDBOX:
        setattr(settings, name, "http://127.0.0.1:8999")
    assert "accounts.E020" not in {each.id for each in run_checks()}
