"""German members would read English, or nonsense, where these fail."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "de" / "LC_MESSAGES" / "django.po"
#: In templates: a run of letters between tags that no translation surrounds.
BARE = re.compile(r">\s*([A-Z][a-z]+(?: [a-z]+)+)[^<{]*<")
TEMPLATES = sorted((settings.BASE_DIR / "threadsite" / "templates").rglob("*.html"))


def entries() -> list[str]:
    return CATALOGUE.read_text().split("\n\n")[1:]


def test_no_german_text_is_missing() -> None:
    empty = re.compile(r'^msgstr(?:\[\d\])? ""$(?!\n")', re.MULTILINE)

    missing = [entry for entry in entries() if empty.search(entry)]

    assert missing == []


def test_no_german_text_is_a_guess() -> None:
    assert [entry for entry in entries() if re.search(r"^#,.*fuzzy", entry, re.MULTILINE)] == []


def test_every_placeholder_of_an_english_text_stands_in_the_german_one() -> None:
    place = re.compile(r"%\(\w+\)[sd]")
    wrong = []
    for entry in entries():
        english, _, german = entry.partition("msgstr")
        if set(place.findall(english)) != set(place.findall(german)):
            wrong.append(entry)

    assert wrong == []


def test_the_compiled_texts_are_those_of_the_catalogue(tmp_path: Path) -> None:
    """A clone has no gettext: what it speaks is the .mo that was committed."""
    compiled = tmp_path / "django.mo"
    try:
        subprocess.run(["msgfmt", "-o", str(compiled), str(CATALOGUE)], check=True)
    except FileNotFoundError:
        pytest.skip("gettext is not installed")

    assert compiled.read_bytes() == CATALOGUE.with_suffix(".mo").read_bytes()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_speaks_without_translation(template: Path) -> None:
    text = re.sub(r"{% blocktrans.*?{% endblocktrans %}", "", template.read_text(), flags=re.DOTALL)

    assert BARE.findall(text) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_style_or_script(template: Path) -> None:
    """The content security policy would silently drop it."""
    text = template.read_text()

    assert " style=" not in text
    assert "<style" not in text
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"\son(?:click|submit|change|load)=", text) == []
