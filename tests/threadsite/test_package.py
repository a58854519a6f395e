"""The package that `pip install .` makes: who installs it gets the whole site."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

PACKAGES = ("threadsite", "accounts", "followersync")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the packages as a wheel holds them."""
    wheels, packages = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(command, cwd=settings.BASE_DIR, check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, packages], check=True)
    return packages


def test_the_package_holds_every_file_of_the_site_and_no_other_folder(installed):
    files = [path for package in PACKAGES for path in (settings.BASE_DIR / package).rglob("*.*")]
    names = [str(p.relative_to(settings.BASE_DIR)) for p in files if p.suffix != ".pyc"]
    assert len(names) > 500
    assert [name for name in names if not (installed / name).is_file()] == []
    top = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert top == set(PACKAGES)


def test_an_installed_site_finds_its_texts_and_keeps_nothing_among_the_packages(
    installed, tmp_path
):
    shown = "; ".join(
        [
            "import django; django.setup()",
            "from django.conf import settings",
            "from django.contrib.staticfiles.finders import find",
            "from django.template.loader import get_template",
            "from django.utils.translation import gettext, override",
            "print(get_template('base.html').origin.name, find('threadsite/site.css'))",
            "print(settings.THREADSITE_HOME, settings.STATIC_ROOT)",
            "override('de').__enter__(); print(gettext('Followers'))",
        ]
    )
    outcome = run(["-c", shown], installed, tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    template, style, home, collected, word = outcome.stdout.split()
    assert Path(template).is_relative_to(installed)
    assert Path(style).is_relative_to(installed)
    assert home == f"{tmp_path}/.local/share/threadsite"
    assert Path(collected).is_relative_to(home)
    assert word == "Follower"


def test_an_installed_site_runs_commands_and_explains_every_setting(installed, tmp_path):
    path = tmp_path / "site.env"
    outcome = run(["-m", "threadsite", "new_environment", str(path)], installed, tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert "TOKEN_KEYS=" in path.read_text()


def run(arguments: list[str], installed: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Python far from the checkout, with the installed packages alone."""
    variables = {name: value for name, value in os.environ.items() if name != "THREADSITE_HOME"}
    variables |= {
        "PYTHONPATH": str(installed),
        "HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "threadsite.settings",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=home, env=variables, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
