"""Importing an archive over the API."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.scopes import Scope
from followersync.models import ArchiveImport, SyncRun
from followersync.services.imports import advance
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


def test_an_archive_of_somebody_else_is_refused(alices_program, personal):
    wrong = upload(zipped("mallory"), "instagram-mallory-2026-11-20-aBcDeFgH.zip")

    problem(
        alices_program.post(at(personal), wrong, format="multipart"), 422, "archive_foreign_owner"
    )


def test_a_nameless_list_is_the_first_of_the_account_it_is_sent_to_and_asked_about_later(
    alices_program, personal
):
    nameless = b'[{"string_list_data": [{"value": "anna", "timestamp": 1700000000}]}]'
    first = alices_program.post(
        at(personal), upload(nameless, "followers_1.json"), format="multipart"
    )
    assert first.status_code == 202, first.content
    advance(SyncRun.objects.get().pk)

    again = upload(nameless, "followers_1.json")
    problem(
        alices_program.post(at(personal), again, format="multipart"), 422, "archive_owner_unknown"
    )
    said = {**upload(nameless, "followers_1.json"), "owner_confirmed": "true"}
    assert alices_program.post(at(personal), said, format="multipart").status_code == 202
    assert {name for _key, name in held(personal)} == {"anna"}


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
