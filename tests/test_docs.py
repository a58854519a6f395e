"""What the documents promise is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_project_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_every_make_target_named_in_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z][a-z-]+)", (ROOT / "README.md").read_text("utf-8")):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_every_setting_read_from_the_environment_is_explained_to_the_operator():
    settings = (ROOT / "threadsite" / "settings.py").read_text(encoding="utf-8")
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    names = set(re.findall(r"environment\.\w+\(\s*\"([A-Z_]+)\"", settings))
    assert names
    assert [name for name in sorted(names) if f"`{name}`" not in operations] == []


def test_every_test_named_in_the_threat_table_exists():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| (?!who |-)", line)]
    assert len(rows) > 20
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        named = re.findall(r"`(tests/\S+\.py)::(\w+)`", cells[-1])
        assert len(cells) == 5, row
        assert named, row
        for path, name in named:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert name in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}, name


def test_no_document_names_a_registry_s_host():
    for path in [*DOCUMENTS, *ROOT.glob("requirements*")]:
        text = path.read_text(encoding="utf-8")
        for host in ("pypi" + ".org", "npmjs" + ".org", "deb.debian" + ".org"):
            assert host not in text, path


def test_every_rule_is_in_the_file_that_the_architecture_names():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("## Where is the rule for …")[1].split("\n## ")[0]
    files = re.findall(r"\| `(\S+\.py)` \|$", table, re.M)
    assert len(files) >= 40
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_the_main_way_is_drawn_with_modules_that_exist():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = text.split("## The main way")[1].split("\n## ")[0]
    modules = re.findall(r"^ +(?:→ )?((?:services|sources|domain)/\S+)", drawn, re.M)
    assert len(modules) >= 8
    for name in modules:
        path = ROOT / "followersync" / name
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
