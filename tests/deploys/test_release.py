"""The sample release of `python -m drills deploy` fits the project as it is."""

from __future__ import annotations

import pytest

from drills.release import UNSAFE, Release
from tests.support.database import ENVIRONMENT

pytestmark = pytest.mark.slow


def test_the_sample_passes_the_lint_and_its_unsafe_twin_does_not(tmp_path):
    sample, twin = Release(tmp_path / "sample"), Release(tmp_path / "twin", UNSAFE)

    passed, refused = sample.lint(ENVIRONMENT), twin.lint(ENVIRONMENT)

    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert " 0 findings" in passed.stdout
    assert not passed.stdout.startswith("migrations: 0 ")
    assert refused.returncode == 1
    assert f"followersync.{twin.name}: ban-drop-default" in refused.stdout
