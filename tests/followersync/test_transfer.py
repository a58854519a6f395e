"""A data-transfer tool pushes a member's export to us, as the project's README says it does."""

from __future__ import annotations

import http.client
import json
from datetime import date
from urllib.parse import urlsplit

import pytest

from accounts import files
from accounts.models import LinkedAccount
from followersync.models import ArchiveImport, SyncRun, TransferredItem
from followersync.services.imports import requests, transfers
from tests.support.exports import Export, population
from tests.support.sync import held
from tests.support.transfer import (
    BOUNDARY,
    LISTS,
    NAME,
    PEOPLE,
    described,
    parts,
    post,
    push,
    related,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("destination")]


def work(account: LinkedAccount) -> None:
    """What the queue would do."""
    transfers.tick()
    while transfers.take(account.pk) or SyncRun.objects.filter(state__in=SyncRun.OPEN):
        for run in SyncRun.objects.filter(state__in=SyncRun.OPEN):
            requests.advance(run.pk)


def names(account) -> set[str]:
    return {name for _key, name in held(account)}


@pytest.mark.parametrize("kind", ["BlobbyFileData", "File"])
def test_a_pushed_zip_becomes_the_list(client, personal, token, kind):
    content = Export(PEOPLE, owner="alice.own").zip()

    response = push(client, token, "/Instagram", f"{NAME}.zip", content, kind)
    work(personal)

    assert response.status_code == 201
    assert names(personal) == set(PEOPLE)
    assert ArchiveImport.objects.get().channel == "transfer"
    assert not files.names(files.Area.TRANSFERS)


def test_the_parts_of_an_unpacked_export_are_one_import_once_nothing_more_comes(
    client, personal, token, clock
):
    folder = json.dumps(
        {
            "@type": "GenericPayload",
            "apiVersion": "0.1.0",
            "payload": {"@type": "Folder", "path": LISTS},
        }
    )
    assert post(client, folder.encode(), token, "application/json").status_code == 200
    for name, content in parts().items():
        assert push(client, token, LISTS, name, content).status_code == 201
        work(personal)
        clock.advance(minutes=10)
    assert not SyncRun.objects.exists()

    clock.advance(minutes=6)
    work(personal)

    assert names(personal) == set(PEOPLE)
    assert (SyncRun.objects.count(), ArchiveImport.objects.get().exported_on) == (
        1,
        date(2026, 8, 11),
    )


def test_an_item_that_is_sent_again_is_imported_once(client, personal, token, clock):
    content = Export(PEOPLE, owner="alice.own").zip()
    sent = [push(client, token, "/x", f"{NAME}.zip", content).status_code for _ in range(2)]
    work(personal)
    sent.append(push(client, token, "/x", f"{NAME}.zip", content).status_code)
    work(personal)

    assert sent == [201, 200, 200]
    assert SyncRun.objects.count() == 1


def test_tomorrows_export_under_the_same_names_is_another(client, personal, token, clock):
    later = PEOPLE | {"new.one": 1_785_000_500}
    for people in (PEOPLE, later, PEOPLE):
        content = Export(people, owner="alice.own").zip()
        assert push(client, token, "/x", "instagram.zip", content).status_code == 201
        work(personal)
        clock.advance(days=1)

    assert SyncRun.objects.filter(state="succeeded").count() == 3


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (f"/{NAME}/media", "photo.jpg"),
        (LISTS, "close_friends.json"),
        (f"/{NAME}/your_instagram_activity/threads", "followers.json"),
        ("/x", "photos.zip"),
        (LISTS, "../../evil.json"),
    ],
)
def test_what_holds_no_followers_is_acknowledged_and_not_stored(
    client, personal, token, folder, name
):
    response = push(client, token, folder, name, b"whatever it is")

    assert (response.status_code, response.json()) == (200, {})
    assert not TransferredItem.objects.exists()
    assert not files.names(files.Area.TRANSFERS)


def test_a_broken_archive_is_noted_and_stops_no_other(client, personal, token, clock):
    push(client, token, LISTS, "followers_1.json", b'[{"who": "knows"}]')
    clock.advance(minutes=1)
    good = LISTS.replace("-11-", "-12-")
    push(client, token, good, "followers_1.json", parts(per_part=99)["followers_1.json"])
    clock.advance(minutes=20)

    work(personal)

    assert names(personal) == set(PEOPLE)
    assert TransferredItem.objects.get(path__contains="08-11").error_code.startswith("archive_")


def test_what_waits_goes_with_the_account(client, personal, token):
    push(client, token, LISTS, "followers_1.json", b"[]")
    assert files.names(files.Area.TRANSFERS)

    assert transfers.erase(personal.pk, 100) == 1

    assert not files.names(files.Area.TRANSFERS)
    assert not TransferredItem.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_transfer_over_real_http_may_be_large(live_server, personal, token):
    """Twenty thousand people in one part, refused by nobody on the way."""
    people = population(20_000, seed=5, newest=1_785_000_000)
    body = related(
        described(LISTS, "followers_1.json"), parts(people, per_part=99_999)["followers_1.json"]
    )
    connection = http.client.HTTPConnection(urlsplit(live_server.url).netloc, timeout=60)
    headers = {
        "Content-Type": f"multipart/related; boundary={BOUNDARY}",
        "Authorization": f"Bearer {token}",
    }

    connection.request("POST", "/transfer/blobs", body, headers)
    response = connection.getresponse()

    assert (response.status, response.read()) == (201, b"{}")
    connection.request("POST", "/transfer/blobs", body, headers | {"Authorization": "Bearer no"})
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["error"]) == (401, "invalid_token")
