"""A member's own Google Drive, to which Instagram delivers, keeps the list true by itself."""

from __future__ import annotations

import time
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts import crypto, tasks
from accounts.models import DeletionRequest
from accounts.scopes import Scope
from accounts.services import consent as consents
from followersync.models import SyncRun, WatchedFolder
from followersync.services.imports import requests, watched_folders
from followersync.sources import drive
from tests.followersync.imports.conftest import names
from tests.support.dripping import DRIPS, endless
from tests.support.exports import Export, population
from tests.support.google import SCOPE, Google

pytestmark = pytest.mark.django_db

DAY = date(2026, 8, 11)
PEOPLE = population(30, newest=1_786_000_000)


def deliver(google: Google, people: dict[str, int], day: date = DAY) -> None:
    export = Export(people, following=population(5, seed=4), day=day)
    export.write_folder(google.drive / f"meta-{day:%Y-%b-%d}-09-04-51")


def go_to_google(client: Client, account) -> dict[str, str]:
    answer = client.post(reverse("account-folder-drive", args=[account.pk]))
    assert answer.status_code == 302, answer.content
    return {k: v[0] for k, v in parse_qs(urlsplit(answer["Location"]).query).items()}


def come_back(client: Client, asked: dict[str, str], **given: str) -> str:
    back = {"state": asked["state"], **(given or {"code": "4/abc"})}
    return client.get(urlsplit(asked["redirect_uri"]).path, back, follow=True).content.decode()


def work(account) -> None:
    """Let the queue do what it would, until nothing waits."""
    folder = WatchedFolder.objects.get(account=account)
    while watched_folders.look(folder.pk):
        for run in SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN):
            requests.advance(run.pk)


def test_a_member_connects_their_drive_and_each_export_in_it_is_imported(as_alice, kept, google):
    deliver(google, PEOPLE)
    (google.drive / "tax return").mkdir()

    asked = go_to_google(as_alice, kept)
    page = come_back(as_alice, asked)
    work(kept)

    assert (asked["scope"], asked["access_type"], asked["prompt"]) == (SCOPE, "offline", "consent")
    assert asked["code_challenge_method"] == "S256"
    assert "Your Google Drive is watched" in page
    assert names(kept) == set(PEOPLE)
    assert not any("tax" in place for place in google.asked)

    more = {**PEOPLE, "new.comer": 1_786_100_000}
    deliver(google, more, date(2026, 8, 12))
    work(kept)

    assert names(kept) == set(more)


def test_only_folders_that_can_hold_lists_are_opened(as_alice, kept, google):
    deliver(google, PEOPLE)
    root = next(google.drive.glob("meta-*/instagram-*"))
    (root / "messages" / "inbox" / "somebody").mkdir(parents=True)

    come_back(as_alice, go_to_google(as_alice, kept))
    work(kept)

    assert google.asked
    assert not any("messages" in place for place in google.asked)


def test_the_token_is_kept_encrypted_and_nowhere_else(as_alice, kept, google):
    come_back(as_alice, go_to_google(as_alice, kept))

    (token,) = google.refresh_tokens
    folder = WatchedFolder.objects.get(account=kept)
    assert token not in folder.secrets
    assert token in crypto.decrypt(folder.secrets)
    for session in Session.objects.all():
        assert token not in str(session.get_decoded())
    assert token not in as_alice.get(reverse("account-settings", args=[kept.pk])).content.decode()


def test_whoever_says_no_at_google_is_told_that_nothing_changed(as_alice, kept, google):
    page = come_back(as_alice, go_to_google(as_alice, kept), error="access_denied")

    assert "Nothing was changed" in page
    assert not WatchedFolder.objects.exists()


def test_an_unticked_permission_is_a_no(as_alice, kept, google):
    google.scope = "openid"

    page = come_back(as_alice, go_to_google(as_alice, kept))

    assert "Google does not let us in" in page
    assert not WatchedFolder.objects.exists()


@pytest.fixture
def as_bob(bob) -> Client:
    client = Client()
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_way_back_works_once_and_only_for_whoever_began_it(as_alice, as_bob, kept, google):
    asked = go_to_google(as_alice, kept)

    assert "did not fit" in come_back(as_bob, asked)
    assert "is watched" in come_back(as_alice, asked)
    assert "did not fit" in come_back(as_alice, asked)


def test_nobody_connects_a_drive_to_another_members_account(as_bob, kept, google):
    answer = as_bob.post(reverse("account-folder-drive", args=[kept.pk]))

    assert answer.status_code == 404


def test_nobody_signs_in_by_their_drive(client, google):
    assert client.get("/auth/googledrive/login/").status_code == 404


def test_without_an_app_at_google_it_is_not_offered(as_alice, kept, settings):
    settings.GOOGLE_CLIENT_ID = ""

    page = as_alice.get(reverse("account-settings", args=[kept.pk])).content.decode()
    answer = as_alice.post(reverse("account-folder-drive", args=[kept.pk]))

    assert "Google Drive" not in page
    assert answer.status_code == 404


@pytest.mark.parametrize("leave", ["unwatch", "withdraw"])
def test_the_consent_at_google_is_given_back(
    leave, as_alice, kept, google, django_capture_on_commit_callbacks
):
    come_back(as_alice, go_to_google(as_alice, kept))
    (token,) = google.refresh_tokens

    with django_capture_on_commit_callbacks(execute=True):
        if leave == "unwatch":
            as_alice.post(reverse("account-folder-stop", args=[kept.pk]))
        else:
            consents.withdraw(account=kept, scope=Scope.FOLLOWERS, channel="web", actor=kept.owner)
            for request in DeletionRequest.objects.all():
                tasks.run_deletion(request.pk)

    assert google.revoked == [token]
    assert not WatchedFolder.objects.exists()


def test_a_consent_taken_back_at_google_is_told_and_costs_nobody(as_alice, kept, google):
    deliver(google, PEOPLE)
    come_back(as_alice, go_to_google(as_alice, kept))
    work(kept)
    google.refresh_tokens.clear()

    work(kept)

    page = as_alice.get(reverse("account-settings", args=[kept.pk])).content.decode()
    assert "Connect your Google Drive again" in page
    assert names(kept) == set(PEOPLE)


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_passing_trouble_at_google_is_tried_again(status, as_alice, kept, google):
    come_back(as_alice, go_to_google(as_alice, kept))
    google.fail = status

    work(kept)

    folder = WatchedFolder.objects.get(account=kept)
    assert folder.error_code == "folder_unreachable"
    assert folder.next_look_at is not None


def test_a_google_that_drips_its_token_keeps_nobody_waiting(
    as_alice, kept, google, settings, monkeypatch
):
    monkeypatch.setattr(drive, "SECONDS", 0.4)
    asked = go_to_google(as_alice, kept)
    with endless(*DRIPS["headers"]) as server:
        settings.GOOGLE_TOKEN_URL = server.url
        began = time.monotonic()
        page = come_back(as_alice, asked)
        took = time.monotonic() - began

    assert "Google does not let us in" in page
    assert took < 5
