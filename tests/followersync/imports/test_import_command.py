"""`manage.py import_followers`: the operator's way in, and the words in which it answers."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from followersync.domain.archive_completeness import Completeness, Reason
from followersync.domain.archive_losses import Flaw
from followersync.models import ArchiveImport, Follower, SyncRun
from followersync.texts.imports import FLAWS, KINDS, REASONS, result_in_words
from tests.support.exports import Export, population

pytestmark = pytest.mark.django_db


def run_command(*arguments: object, **options: object) -> str:
    out = StringIO()
    call_command("import_followers", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_it_imports_a_zip_and_an_unpacked_folder_and_says_what_came_of_it(kept, tmp_path, form):
    export = Export(population(30), following=population(15, seed=3))
    path = export.write_zip(tmp_path) if form == "zip" else export.write_folder(tmp_path)

    said = run_command(kept.pk, path)

    assert "30 people were read." in said
    assert Follower.objects.filter(account_id=kept.pk).count() == 30


def test_it_asks_before_a_nameless_list_meets_one_that_is_there(kept, tmp_path):
    export = Export(population(30))
    path = export.write_folder(tmp_path) / "connections/followers_and_following/followers_1.json"

    run_command(kept.pk, path)
    with pytest.raises(CommandError, match="does not say whose"):
        run_command(kept.pk, path)
    run_command(kept.pk, path, owner_confirmed=True)

    assert Follower.objects.count() == 30


@pytest.mark.parametrize("problem", ["foreign", "missing", "account"])
def test_it_fails_in_words_and_changes_nothing(kept, tmp_path, problem):
    path = Export(population(5), owner="somebody.else").write_zip(tmp_path)
    if problem == "missing":
        path = tmp_path / "nowhere.zip"
    account_id = 999_999 if problem == "account" else kept.pk

    with pytest.raises(CommandError, match=r"another name|does not exist|no linked account"):
        run_command(account_id, path)

    assert not SyncRun.objects.filter(state="succeeded").exists()
    assert not Follower.objects.exists()


def test_every_verdict_and_reason_has_words():
    assert set(KINDS) == set(Completeness)
    assert set(REASONS) == set(Reason)
    assert set(FLAWS) == set(Flaw)


def test_a_failed_import_says_that_nothing_was_changed(kept, bring):
    path = "connections/followers_and_following/followers_2.json"
    run = bring(kept, Export(population(5), extra={path: b"[{"}))

    words = result_in_words(run)

    assert words[-1] == "Nothing in your list was changed."
    assert "damaged" in words[0]
    assert ArchiveImport.objects.get().people == 0
