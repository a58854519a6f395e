"""A new deployment gets a file with every setting and secrets that nobody else has or can read."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from threadsite import environment_file

pytestmark = pytest.mark.slow  # each is a start of Django

ROOT = Path(__file__).resolve().parents[2]
ASKED = {"INSTAGRAM_CLIENT_ID": "1", "INSTAGRAM_CLIENT_SECRET": "s"}


def make(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """As an operator does it on a new machine: nothing is set, and there is no database."""
    options = more or ("--public-url", "https://threads.example", "--database-url", DATABASE)
    return subprocess.run(
        [sys.executable, "manage.py", "new_environment", str(path), *options],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


DATABASE = "postgresql://threads:pa$s%27w@localhost:5432/threads"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("etc") / "threadsite.env"
    outcome = make(path)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.endswith("INSTAGRAM_CLIENT_ID, INSTAGRAM_CLIENT_SECRET, ERASURES_URL.\n")
    return path


def as_a_shell_reads(path: Path) -> dict[str, str]:
    command = f'set -a; . "{path}"; env -0'
    shell = ["env", "-i", "sh", "-c", command]
    told = subprocess.run(shell, capture_output=True, text=True, check=True).stdout
    return dict(each.split("=", 1) for each in told.split("\0") if each)


def test_only_its_owner_reads_it_and_none_that_is_there_is_touched(made):
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    before = made.read_text()

    outcome = make(made)

    assert outcome.returncode == 1
    assert "is there already" in outcome.stderr
    assert made.read_text() == before


def test_the_site_starts_with_it_once_what_it_names_is_filled_in(made, tmp_path):
    erasures = {"ERASURES_URL": (tmp_path / "kept-apart").as_uri()}
    found = as_a_shell_reads(made) | ASKED | erasures | {"THREADSITE_HOME": str(tmp_path)}
    assert found["DATABASE_URL"] == DATABASE
    assert found["OIDC_PRIVATE_KEY"].startswith("-----BEGIN PRIVATE KEY-----\\n")

    outcome = subprocess.run(
        [sys.executable, "-c", "import threadsite.wsgi"],
        cwd=ROOT,
        env={**found, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome.returncode == 0, outcome.stderr


def test_every_setting_stands_in_it_with_a_comment(made):
    text = made.read_text()
    settings = (ROOT / "threadsite" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"environment\.\w+\(\s*\"([A-Z_]+)\"", settings))
    for name in names:
        assert re.search(rf"^#? ?.+\n(?:#?[A-Z_]+=.*\n)*#?{name}=", text, re.M), name
    assert "CLOCK_SPEED" not in text  # never in production


def test_no_two_files_share_a_secret_and_no_secret_is_printed(made, tmp_path):
    again = tmp_path / "again.env"
    outcome = make(again)
    one, other = as_a_shell_reads(made), as_a_shell_reads(again)
    for name in environment_file.new_secrets():
        assert len(one[name]) >= 20, name
        assert one[name] != other[name], name
        assert other[name] not in outcome.stdout + outcome.stderr, name


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--public-url", "threads.example"), "must look like"),
        (("--public-url", "https://x/'; rm"), "quotes"),
        (("--database-url", "postgresql://a:b'c@d/e"), "quotes"),
    ],
)
def test_what_would_make_a_broken_file_is_refused(tmp_path, options, said):
    outcome = make(tmp_path / "x.env", *options)

    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (tmp_path / "x.env").exists()


def test_a_folder_that_is_not_there_is_said(tmp_path):
    outcome = make(tmp_path / "no" / "x.env")

    assert outcome.returncode == 1
    assert "No such file or directory" in outcome.stderr
    assert "Traceback" not in outcome.stderr
