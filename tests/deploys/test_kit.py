"""What an operator copies from docs/deploy is taken by the programs it is for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def here(text: str) -> str:
    """With the paths of this machine, which has no user of that name."""
    python = str(Path(sys.executable).parent)
    text = text.replace("/opt/threadsite/.venv/bin", python).replace("/opt/threadsite", str(ROOT))
    return text.replace("User=threadsite\n", "").replace("Group=threadsite\n", "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_takes_each_unit_without_a_warning(unit, tmp_path):
    copy = tmp_path / unit.name
    copy.write_text(here(unit.read_text(encoding="utf-8")))

    outcome = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.parametrize("name", ["web", "queue"])
def test_what_serves_is_started_again_for_ever_and_may_do_little(name):
    text = (DEPLOY / "systemd" / f"threadsite-{name}.service").read_text(encoding="utf-8")
    for line in ("Restart=always", "StartLimitIntervalSec=0", "NoNewPrivileges=yes",
                 "ProtectSystem=strict", "CapabilityBoundingSet="):  # fmt: skip
        assert f"\n{line}\n" in text, line


def test_every_program_of_the_kit_runs_what_is_here():
    for path in DEPLOY.rglob("*"):
        if not path.is_file():
            continue
        for command in re.findall(r"manage\.py ([a-z_]+)", path.read_text(encoding="utf-8")):
            where = [
                app / "management" / "commands" / f"{command}.py"
                for app in (ROOT / "threadsite", ROOT / "accounts", ROOT / "followersync")
            ]
            known = command in ("migrate", "collectstatic") or any(p.exists() for p in where)
            assert known, f"{path.name}: {command}"


def test_no_secret_of_this_folder_gets_into_an_image():
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for each in ("*.env", ".env*", ".git", ".local"):
        assert each in left_out, each
    kept_here = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "*.env" in kept_here
