"""Importing an archive over the API."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import files
from accounts.scopes import Scope
from followersync.models import ArchiveImport, SyncRun
from followersync.services.imports.requests import advance
from tests.support.api import API, problem, program
from tests.support.exports import Export
from tests.support.factories import LinkedAccountFactory, consent
from tests.support.sync import held

pytestmark = pytest.mark.django_db

PEOPLE = {"anna": 1_700_000_000, "ben": 1_700_000_100, "cem": 1_700_000_200}


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path


@pytest.fixture
def personal(alice):
    account = LinkedAccountFactory(owner=alice, kind="archive", username="alice.own")
    consent(account, Scope.FOLLOWERS)
    return account


def at(account) -> str:
    return f"{API}/accounts/{account.pk}/imports/"


def upload(content: bytes, name: str = "instagram-alice.own-2026-11-20-aBcDeFgH.zip"):
    return {"archive": SimpleUploadedFile(name, content, "application/zip")}


def zipped(owner: str = "alice.own") -> bytes:
    return Export(followers=PEOPLE, owner=owner).zip()


def test_an_archive_becomes_the_list(alices_program, personal):
    response = alices_program.post(at(personal), upload(zipped()), format="multipart")

    assert response.status_code == 202, response.content
    assert response.json()["mode"] == "import"
    run = SyncRun.objects.get()
    while advance(run.pk):
        pass
    assert {name for _key, name in held(personal)} == set(PEOPLE)
    assert alices_program.get(response["Location"]).json()["state"] == "succeeded"
    listed = alices_program.get(f"{API}/accounts/{personal.pk}/followers/").json()["results"]
    assert all(row["id"].startswith("u_") and row["instagram_id"] is None for row in listed)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_what_is_no_archive_is_answered_at_once_and_changes_nothing(
    alices_program, personal, content
):
    response = alices_program.post(at(personal), upload(content), format="multipart")

    assert response.status_code == 422, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["field"] == "archive"
    assert not SyncRun.objects.exists()
    assert not ArchiveImport.objects.exists()


def work() -> SyncRun:
    """The queue's work; the newest run, as it ended."""
    for run in SyncRun.objects.filter(state__in=SyncRun.OPEN):
        advance(run.pk)
    return SyncRun.objects.latest("pk")


def send(client, account, content: bytes, name: str, **more: str) -> int:
    response = client.post(at(account), {**upload(content, name), **more}, format="multipart")
    assert response.status_code == 202, response.content
    return work().pk


NAMELESS = b'[{"string_list_data": [{"value": "anna", "timestamp": 1700000000}]}]'


def test_an_archive_under_another_name_is_asked_about_and_the_answer_suffices(
    alices_program, personal
):
    renamed = send(
        alices_program, personal, zipped("alice.new"), "instagram-alice.new-2026-11-20-aBcDeFgH.zip"
    )
    shown = alices_program.get(f"{API}/accounts/{personal.pk}/runs/{renamed}/").json()
    (question,) = alices_program.get(at(personal)).json()["results"]

    answered = alices_program.post(
        f"{at(personal)}{renamed}/answer/", {"owner_confirmed": True}, format="json"
    )

    assert (shown["state"], shown["error"]["code"]) == ("cancelled", "archive_owner_renamed")
    assert (question["run"], question["stated_owner"]) == (renamed, "alice.new")
    assert answered.status_code == 202
    assert work().state == "succeeded"
    personal.refresh_from_db()
    assert personal.username == "alice.new"
    assert alices_program.get(at(personal)).json()["results"] == []


def test_another_linked_accounts_archive_is_refused_without_a_question(
    alices_program, alice, personal
):
    LinkedAccountFactory(owner=alice, kind="archive", username="mallory")

    run = send(
        alices_program, personal, zipped("mallory"), "instagram-mallory-2026-11-20-aBcDeFgH.zip"
    )

    assert SyncRun.objects.get(pk=run).error_code == "archive_foreign_owner"
    assert alices_program.get(at(personal)).json()["results"] == []


def test_a_nameless_list_is_the_first_of_the_account_it_is_sent_to_and_asked_about_later(
    alices_program, personal
):
    send(alices_program, personal, NAMELESS, "followers_1.json")
    again = send(alices_program, personal, NAMELESS, "followers_1.json")
    assert SyncRun.objects.get(pk=again).error_code == "archive_owner_unknown"

    said = send(alices_program, personal, NAMELESS, "followers_1.json", owner_confirmed="true")

    assert SyncRun.objects.get(pk=said).state == "succeeded"
    assert {name for _key, name in held(personal)} == {"anna"}


def test_a_no_deletes_the_archive_and_there_is_no_second_answer(
    alices_program, personal, tmp_path, django_capture_on_commit_callbacks
):
    send(alices_program, personal, NAMELESS, "followers_1.json")
    run = send(alices_program, personal, NAMELESS, "followers_1.json")
    address = f"{at(personal)}{run}/answer/"

    with django_capture_on_commit_callbacks(execute=True):
        no = alices_program.post(address, {"owner_confirmed": False}, format="json")

    assert no.status_code == 204
    assert not files.names(files.Area.IMPORTS)
    problem(
        alices_program.post(address, {"owner_confirmed": True}, format="json"), 404, "not_found"
    )


def test_nobody_else_answers_or_sees_the_question(alices_program, bobs_program, alice, personal):
    send(alices_program, personal, NAMELESS, "followers_1.json")
    run = send(alices_program, personal, NAMELESS, "followers_1.json")
    address = f"{at(personal)}{run}/answer/"
    yes = {"data": {"owner_confirmed": True}, "format": "json"}

    problem(bobs_program.post(address, **yes), 404, "not_found")
    problem(bobs_program.get(at(personal)), 404, "not_found")
    problem(program(alice, "followers:read").post(address, **yes), 403, "scope_missing")
    assert ArchiveImport.objects.exclude(question="").count() == 1


def test_without_a_file_there_is_nothing_to_import(alices_program, personal):
    problem(alices_program.post(at(personal), {}, format="multipart"), 422, "invalid")
    problem(alices_program.post(at(personal), {}, format="json"), 415, "unsupported_media_type")


def test_the_same_upload_under_one_key_is_imported_once(alices_program, personal):
    key = {"HTTP_IDEMPOTENCY_KEY": "upload-1"}
    content = zipped()
    first = alices_program.post(at(personal), upload(content), format="multipart", **key)

    again = alices_program.post(at(personal), upload(content), format="multipart", **key)
    other = alices_program.post(at(personal), upload(content + b"x"), format="multipart", **key)

    assert (again.status_code, again.json()) == (202, first.json())
    problem(other, 422, "idempotency_key_reused")
    assert SyncRun.objects.count() == 1


def test_nobody_else_imports(bobs_program, anonymous, alice, personal):
    send = {"data": upload(zipped()), "format": "multipart"}

    problem(bobs_program.post(at(personal), **send), 404, "not_found")
    problem(anonymous.post(at(personal), **send), 401, "not_authenticated")
    problem(program(alice, "followers:read").post(at(personal), **send), 403, "scope_missing")
    assert not SyncRun.objects.exists()
