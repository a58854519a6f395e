"""What keeps the layers a fact rather than a wish."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("accounts", "followersync", "threadsite", "tests", "bench", "drills")


def sources() -> list[Path]:
    return [path for folder in OURS for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.slow
def test_no_module_reaches_over_its_layer():
    outcome = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome.returncode == 0, outcome.stdout


#: Raw SQL is for what the ORM cannot say: bulk work, locks, the catalogue.
RAW_SQL = (
    "followersync/store",
    "accounts/services/erasure",
    "accounts/services/residue",
    "accounts/services/ledger.py",
    "accounts/services/quotas.py",
    "accounts/selectors/consent_in_force.py",  # the one statement that the gate and bulk SQL share
    "accounts/services/oauth.py",  # an advisory lock, which Django's ORM has none of
    "accounts/services/gate.py",  # asked before every request and every commit
    "accounts/clock.py",
    "accounts/counters.py",  # one statement that adds to many rows
    "threadsite/broker.py",
    "threadsite/database.py",  # a connection's own settings
    "threadsite/server_state.py",  # the server's own state, which no model shows
    "threadsite/embedded.py",
    "threadsite/database.py",  # settings of the session
    "/migrations/",
)


def test_raw_sql_stands_only_where_it_must():
    offenders = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.parts[len(ROOT.parts)] in ("accounts", "followersync", "threadsite")
        and ".execute(" in path.read_text(encoding="utf-8")
        and not any(part in str(path.relative_to(ROOT)) for part in RAW_SQL)
    ]

    assert offenders == []


def test_the_project_refers_to_nothing_outside_itself():
    for path in [*sources(), *ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "Makefile"]:
        text = path.read_text(encoding="utf-8")
        assert ("../" + "shared") not in text, path
        assert ("/work" + "/") not in text, path


def test_no_source_of_a_fact_is_broken_over_two_lines():
    broken = [
        str(path.relative_to(ROOT))
        for path in sources()
        if any(line.strip() in ("http:", "https:") for line in path.read_text("utf-8").splitlines())
    ]

    assert broken == []
