"""Whose archive is it? The member answers; what they sent is kept for that, and no longer."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest

from accounts import files
from accounts.errors import Conflict, ConsentMissing, NotFound
from accounts.models import LinkedAccount
from accounts.scopes import Scope
from accounts.services import consent as consents
from followersync.errors import SyncRunning
from followersync.models import ArchiveImport, SyncRun, WatchedExport
from followersync.services.imports import questions, requests, watched_folders
from followersync.texts.imports import result_in_words
from tests.followersync.imports.conftest import names
from tests.support.clock import Clock
from tests.support.exports import Export, population
from tests.support.factories import LinkedAccountFactory

PEOPLE = population(30)
BACKUP = Path("tests/fixtures/export/renamed/backup_20261120.zip")


def stored() -> int:
    return len(files.names(files.Area.IMPORTS))


def answered(account: LinkedAccount, run: SyncRun) -> SyncRun:
    """The member says yes, and the queue works."""
    again = requests.answer(account=account, run_id=run.pk)
    requests.advance(again.pk)
    again.refresh_from_db()
    return again


def ask(bring, account: LinkedAccount, *, number: int = 0) -> SyncRun:
    """An import that ends with a question."""
    export = Export(PEOPLE | {f"one.more{number}": 1_784_000_000 + number})
    run: SyncRun = bring(account, export, file_name="export.zip")
    assert (run.state, run.error_code) == ("cancelled", "archive_owner_unknown")
    return run


def test_an_archive_that_names_no_owner_is_kept_for_the_answer_and_deleted_after_it(kept, bring):
    run = ask(bring, kept)
    assert "does not say whose" in result_in_words(run)[0]
    assert (names(kept), stored()) == (set(), 1)

    again = answered(kept, run)

    assert again.state == "succeeded"
    assert set(PEOPLE) < names(kept)
    assert stored() == 0
    with pytest.raises(NotFound):
        requests.answer(account=kept, run_id=run.pk)


def test_a_renamed_account_goes_on_under_its_new_name_once_its_owner_says_so(kept, bring):
    bring(kept, Export(PEOPLE))
    later = Export(PEOPLE | {"newcomer": 1_785_500_000}, owner="alice.new")

    run = bring(kept, later)
    assert "changed your name" in result_in_words(run)[0]
    assert questions.open_questions(kept).get().stated_owner == "alice.new"
    again = answered(kept, run)

    kept.refresh_from_db()
    assert (again.state, again.lost, kept.username) == ("succeeded", 0, "alice.new")
    assert "newcomer" in names(kept)
    assert bring(kept, later).state == "succeeded"


def test_an_older_archive_does_not_bring_the_old_name_back(kept, bring):
    newer = Export(PEOPLE, owner="alice.new", day=Export(PEOPLE).day + timedelta(days=3))
    bring(kept, newer, owner_confirmed=True)
    assert bring(kept, Export(PEOPLE), owner_confirmed=True).state == "succeeded"

    kept.refresh_from_db()
    assert kept.username == "alice.new"


def test_a_broken_archive_never_renames_the_account(kept, bring):
    part = {"connections/followers_and_following/followers_2.json": b"[{"}

    run = bring(kept, Export(PEOPLE, owner="alice.new", extra=part), owner_confirmed=True)

    kept.refresh_from_db()
    assert (run.state, kept.username) == ("failed", "alice.there")


@pytest.mark.parametrize("other", ["the members own other account", "a proven account"])
def test_confirming_never_brings_in_another_accounts_list(kept, bring, other):
    if other == "a proven account":
        LinkedAccount.objects.filter(pk=kept.pk).update(kind="oauth", instagram_id="17841400000001")
        kept.refresh_from_db()
    else:
        LinkedAccountFactory(owner=kept.owner, kind="archive", username="Somebody.Else")

    run = bring(kept, Export(PEOPLE, owner="somebody.else"), owner_confirmed=True)

    assert (run.state, run.error_code) == ("failed", "archive_foreign_owner")
    assert (names(kept), stored()) == (set(), 0)
    kept.refresh_from_db()
    assert kept.username == "alice.there"


@pytest.mark.parametrize("file_name", ["backup_20261120.zip", "instagram-backup-2026-11-20.zip"])
def test_a_zip_that_somebody_renamed_is_a_question_and_renames_nobody(kept, bring, file_name):
    run = bring(kept, Export(PEOPLE), file_name=file_name)
    assert run.error_code == "archive_owner_unknown"

    answered(kept, run)

    kept.refresh_from_db()
    assert kept.username == "alice.there"
    # Afterwards the genuine one is taken without a question.
    assert bring(kept, Export(PEOPLE)).state == "succeeded"


def test_the_profile_inside_makes_a_renamed_zip_its_owners_without_a_question(kept, bring):
    LinkedAccount.objects.filter(pk=kept.pk).update(username="OWNER.OF.ACCOUNT")
    run = requests.request_import(
        account=kept,
        uploaded_file=io.BytesIO(BACKUP.read_bytes()),
        channel="web",
        file_name=BACKUP.name,
    )
    requests.advance(run.pk)

    run.refresh_from_db()
    assert run.state == "succeeded"
    assert ArchiveImport.objects.get().exported_on is None


def test_a_zip_called_by_the_accounts_own_name_is_no_question(kept, bring):
    assert bring(kept, Export(PEOPLE), file_name="alice.there_20261120.zip").state == "succeeded"


def test_nobody_is_asked_for_ever(kept, bring, clock: Clock, django_capture_on_commit_callbacks):
    run = ask(bring, kept)
    clock.advance(days=6)
    requests.sweep()
    assert stored() == 1

    clock.advance(days=1, minutes=1)
    with pytest.raises(NotFound):
        requests.answer(account=kept, run_id=run.pk)
    with django_capture_on_commit_callbacks(execute=True):
        requests.sweep()

    assert stored() == 0
    assert not ArchiveImport.objects.exclude(question="").exists()
    assert ArchiveImport.objects.get().kept_until is None


def test_no_more_archives_wait_than_are_bounded(kept, bring, django_capture_on_commit_callbacks):
    runs = []
    for number in range(questions.MOST_KEPT + 2):
        with django_capture_on_commit_callbacks(execute=True):
            runs.append(ask(bring, kept, number=number))

    waiting = list(questions.open_questions(kept).values_list("run_id", flat=True))
    assert waiting == [run.pk for run in reversed(runs[-questions.MOST_KEPT :])]
    assert stored() == questions.MOST_KEPT


def test_an_erasure_takes_what_waits_for_an_answer(kept, bring):
    ask(bring, kept)

    assert requests.erase(kept.pk, 100) == 1

    assert stored() == 0
    assert not ArchiveImport.objects.exists()


def test_consent_is_asked_for_anew_at_the_answer(kept, bring):
    run = ask(bring, kept)
    consents.withdraw(
        account=kept, scope=Scope.FOLLOWERS, channel="web", actor=kept.owner, keep_data=True
    )

    with pytest.raises(ConsentMissing):
        requests.answer(account=kept, run_id=run.pk)

    assert not SyncRun.objects.filter(state__in=SyncRun.OPEN).exists()
    questions.decline(kept, run.pk)


def test_a_paused_account_keeps_its_question(kept, bring, clock: Clock):
    run = ask(bring, kept)
    LinkedAccount.objects.filter(pk=kept.pk).update(paused_at=clock.moment)
    with pytest.raises(Conflict):
        requests.answer(account=kept, run_id=run.pk)
    LinkedAccount.objects.filter(pk=kept.pk).update(paused_at=None)

    assert answered(kept, run).state == "succeeded"


def test_the_question_stays_while_another_run_is_open(kept, bring):
    run = ask(bring, kept)
    file = io.BytesIO(Export(PEOPLE).zip())
    other = requests.request_import(
        account=kept, uploaded_file=file, channel="web", file_name=Export(PEOPLE).name
    )

    with pytest.raises(SyncRunning):
        requests.answer(account=kept, run_id=run.pk)
    requests.advance(other.pk)

    assert answered(kept, run).state == "succeeded"


def test_nobody_is_asked_about_an_archive_that_cannot_be_read(kept, bring):
    part = {"connections/followers_and_following/followers_2.json": b"[{"}

    run = bring(kept, Export(PEOPLE, extra=part), file_name="export.zip")

    assert (run.state, run.error_code) == ("failed", "archive_damaged")
    assert stored() == 0


def test_an_operator_is_told_and_not_asked(kept, tmp_path):
    path = tmp_path / "export.zip"
    path.write_bytes(Export(PEOPLE).zip())
    requests.import_now(account=kept, path=path)

    run = requests.import_now(account=kept, path=path)

    assert run.error_code == "archive_owner_unknown"
    assert stored() == 0


def test_a_folders_export_under_a_new_name_waits_for_the_answer_and_the_next_are_taken(
    kept, tmp_path, clock: Clock
):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    Export(PEOPLE, owner="alice.new").write_zip(inbox)
    folder = watched_folders.watch(
        account=kept, url=f"file://{inbox}", options={}, local_allowed=True
    )
    watched_folders.look(folder.pk)
    run = SyncRun.objects.get()
    requests.advance(run.pk)
    assert WatchedExport.objects.get().error_code == "archive_owner_renamed"

    assert answered(kept, run).state == "succeeded"

    kept.refresh_from_db()
    assert kept.username == "alice.new"
    assert WatchedExport.objects.get().error_code == ""
