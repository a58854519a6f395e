"""A member names a folder in their own storage; what opens it is never shown again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ
from pytest_django import Settings

from accounts import clock
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from followersync.models import WatchedExport, WatchedFolder
from followersync.services.imports import watched_folders
from tests.support.dripping import DRIPS, endless
from tests.support.factories import consent

SECRET = "open-sesame-4711"


@pytest.fixture
def watching(account: LinkedAccount, tmp_path: Path) -> WatchedFolder:
    consent(account, Scope.FOLLOWERS)
    return watched_folders.watch(
        account=account, url=f"file://{tmp_path}", options={"x": SECRET}, local_allowed=True
    )


def page(client: Client, account: LinkedAccount) -> str:
    return client.get(reverse("account-settings", args=[account.pk])).content.decode()


def ask(client: Client, account: LinkedAccount, **form: str) -> str:
    address = reverse("account-folder", args=[account.pk])
    return client.post(address, {"secret": SECRET, **form}, follow=True).content.decode()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc",
        "webdavs://me:pass@cloud.example.org/x",
        "webdavs://127.0.0.1/x",
        "webdav://cloud.example.org/x",
        "webdavs://localhost/x",
        "ftp://cloud.example.org/x",
    ],
)
def test_an_address_that_cannot_be_is_refused_in_words_and_the_secret_is_not_repeated(
    url: str, as_alice: Client, account: LinkedAccount
) -> None:
    consent(account, Scope.FOLLOWERS)

    text = ask(as_alice, account, url=url, name="alice")

    assert "errorlist" in text
    assert SECRET not in text
    assert not WatchedFolder.objects.exists()


def test_a_storage_server_in_our_own_network_is_refused(
    as_alice: Client, account: LinkedAccount
) -> None:
    consent(account, Scope.FOLLOWERS)

    text = ask(as_alice, account, url="s3://exports", endpoint="https://169.254.169.254/")

    assert "errorlist" in text
    assert not WatchedFolder.objects.exists()


def test_a_folder_on_this_very_network_is_read_where_the_operator_allows_it(
    as_alice: Client, account: LinkedAccount, settings: Settings
) -> None:
    """Nobody listens there: it was asked, and the answer is said in words."""
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    consent(account, Scope.FOLLOWERS)

    ask(as_alice, account, url="webdav://127.0.0.1:9/x", name="alice")
    watched_folders.look(WatchedFolder.objects.get().pk)

    assert "The folder cannot be reached" in page(as_alice, account)


def test_a_server_that_drips_keeps_no_request_waiting(
    as_alice: Client,
    account: LinkedAccount,
    settings: Settings,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[object]]],
) -> None:
    """The request names the folder, and speaks to nobody; the queue looks into it."""
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    consent(account, Scope.FOLLOWERS)

    with endless(*DRIPS["headers"]) as server:
        with django_capture_on_commit_callbacks(execute=True):
            text = ask(as_alice, account, url=f"webdav://127.0.0.1:{server.port}/x", name="alice")

        assert server.connections == 0
    assert "We look into it now" in text
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == (watched_folders.TASK, (WatchedFolder.objects.get().pk,))


def test_the_last_look_and_its_error_are_said_without_the_secret(
    as_alice: Client, account: LinkedAccount, watching: WatchedFolder
) -> None:
    WatchedFolder.objects.update(looked_at=clock.now(), error_code="folder_forbidden")
    WatchedExport.objects.create(
        account=account,
        path="a/instagram-alice-2026-08-11-x.zip",
        mark="1",
        taken_at=clock.now(),
        error_code="archive_encrypted",
    )

    text = page(as_alice, account)

    assert "The folder does not let us in" in text
    assert "instagram-alice-2026-08-11-x.zip" in text
    assert "This zip is locked with a password" in text
    assert SECRET not in text
    assert watching.secrets not in text


def test_it_is_watched_no_more_at_a_press(
    as_alice: Client, account: LinkedAccount, watching: WatchedFolder
) -> None:
    as_alice.post(reverse("account-folder-stop", args=[account.pk]))

    assert not WatchedFolder.objects.exists()


@pytest.mark.parametrize("name", ["account-folder", "account-folder-stop"])
def test_nobody_else_touches_it(
    name: str, client: Client, bob: User, account: LinkedAccount, watching: WatchedFolder
) -> None:
    address = reverse(name, args=[account.pk])
    assert client.post(address, {"url": "s3://x"}).status_code == 302  # to the sign-in
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")

    assert client.post(address, {"url": "s3://x"}).status_code == 404

    assert WatchedFolder.objects.get().url == watching.url
