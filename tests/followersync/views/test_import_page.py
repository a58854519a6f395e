"""A member brings Instagram's export; a wrong file is refused in words and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from followersync.models import SyncRun
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


def test_a_list_that_names_no_owner_is_imported_once_the_member_says_it_is_theirs(
    as_alice: Client, personal: LinkedAccount
) -> None:
    asked = send(as_alice, personal, LIST.read_bytes())
    assert "This is the export of @alice.p." in asked
    assert not SyncRun.objects.filter(account=personal).exists()

    send(as_alice, personal, LIST.read_bytes(), owner_confirmed="on")

    assert SyncRun.objects.get(account=personal).mode == "import"


@pytest.mark.parametrize("content", [b"", b"not an export", b"PK\x03\x04broken"])
def test_a_file_that_is_no_export_is_refused_in_words(
    content: bytes, as_alice: Client, personal: LinkedAccount
) -> None:
    text = send(as_alice, personal, content, owner_confirmed="on")

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
