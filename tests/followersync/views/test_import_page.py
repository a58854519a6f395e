"""A member brings Instagram's export; a wrong file is refused in words and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import files
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services.quotas import QUOTAS, spend
from followersync.models import Follower, SyncRun
from followersync.services.imports import requests
from tests.support.factories import LinkedAccountFactory, consent

LIST = Path("tests/fixtures/export/golden-2026-08-11/followers_1.json")


@pytest.fixture
def personal(alice: User, settings: Settings, tmp_path: Path) -> LinkedAccount:
    """A personal account of Alice's, kept by archives."""
    settings.THREADSITE_HOME = tmp_path
    account: LinkedAccount = LinkedAccountFactory(owner=alice, kind="archive", username="alice.p")
    consent(account, Scope.FOLLOWERS)
    SyncRun.objects.filter(account=account).delete()
    return account


def send(client: Client, account: LinkedAccount, content: bytes, **more: str) -> str:
    file = SimpleUploadedFile("followers_1.json", content)
    address = reverse("account-import", args=[account.pk])
    answer = client.post(address, {"archive": file, **more}, follow=True)
    return answer.content.decode()


def work() -> None:
    for run in SyncRun.objects.filter(state__in=SyncRun.OPEN):
        requests.advance(run.pk)


def answer(client: Client, account: LinkedAccount, run: SyncRun, said: str) -> str:
    address = reverse("account-import-answer", args=[account.pk, run.pk])
    return client.post(address, {"answer": said}, follow=True).content.decode()


@pytest.mark.parametrize("page", ["account", "account-settings"])
def test_a_list_that_names_no_owner_is_asked_about_and_imported_by_the_answer_alone(
    as_alice: Client, personal: LinkedAccount, page: str
) -> None:
    send(as_alice, personal, LIST.read_bytes())
    work()
    asked = as_alice.get(reverse(page, args=[personal.pk])).content.decode()
    assert "Is it the export of @alice.p?" in asked
    assert Follower.objects.filter(account_id=personal.pk).count() == 0

    text = answer(as_alice, personal, SyncRun.objects.get(account=personal), "yes")
    work()

    assert "Is it the export of" not in text
    assert Follower.objects.filter(account_id=personal.pk).count() == 25
    assert not files.names(files.Area.IMPORTS)


def test_a_no_deletes_the_file_and_changes_nothing(
    as_alice: Client,
    personal: LinkedAccount,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    send(as_alice, personal, LIST.read_bytes())
    work()

    with django_capture_on_commit_callbacks(execute=True):
        text = answer(as_alice, personal, SyncRun.objects.get(account=personal), "no")

    assert "The file was deleted." in text
    assert not files.names(files.Area.IMPORTS)
    assert not Follower.objects.filter(account_id=personal.pk).exists()


def test_the_page_spends_the_quota_of_the_interface(
    as_alice: Client, alice: User, personal: LinkedAccount
) -> None:
    for _ in range(QUOTAS["import"].times):
        spend(user_id=alice.pk, name="import")

    text = send(as_alice, personal, LIST.read_bytes())

    assert "too often" in text
    assert not SyncRun.objects.filter(account=personal).exists()


@pytest.mark.parametrize("content", [b"", b"not an export", b"PK\x03\x04broken"])
def test_a_file_that_is_no_export_is_refused_in_words(
    content: bytes, as_alice: Client, personal: LinkedAccount
) -> None:
    text = send(as_alice, personal, content)

    assert 'class="notice error"' in text
    assert not SyncRun.objects.filter(account=personal).exists()


def test_no_file_at_all_is_said_to_be_none(as_alice: Client, personal: LinkedAccount) -> None:
    answer = as_alice.post(reverse("account-import", args=[personal.pk]), follow=True)

    assert "No file was chosen" in answer.content.decode()


def test_another_member_cannot_import_into_it(
    client: Client, bob: User, personal: LinkedAccount
) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("account-import", args=[personal.pk])

    answer = client.post(address, {"archive": SimpleUploadedFile("f.json", LIST.read_bytes())})

    assert answer.status_code == 404
    assert not SyncRun.objects.filter(account=personal).exists()
