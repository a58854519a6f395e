"""What a member sends to one host is imported by another, wherever the files lie."""

from __future__ import annotations

import io

import pytest

from accounts import files
from accounts.files import kept as keeping
from accounts.models import LinkedAccount
from followersync.models import SyncRun, TransferredItem
from followersync.services.imports import requests, transfers
from followersync.texts.errors import in_words
from tests.followersync.imports.conftest import names
from tests.support.exports import Export, population
from tests.support.sync import held
from tests.support.transfer import LISTS, PEOPLE, parts, push

pytestmark = pytest.mark.django_db


def sent(account: LinkedAccount, people: dict[str, int]) -> SyncRun:
    export = Export(people)
    return requests.request_import(
        account=account,
        uploaded_file=io.BytesIO(export.zip()),
        channel="web",
        file_name=export.name,
    )


def test_an_upload_to_one_host_is_imported_by_another_and_gone_afterwards(kept_in, kept, on_host):
    people = population(50, seed=1)
    on_host("one")
    run = sent(kept, people)

    on_host("two")
    requests.advance(run.pk)

    run.refresh_from_db()
    assert (run.state, run.error_code) == ("succeeded", "")
    assert names(kept) == set(people)
    assert files.names(files.Area.IMPORTS) == []
    assert [each.name for each in keeping.storage().find()] == []


@pytest.mark.usefixtures("destination")
def test_files_pushed_to_different_hosts_become_one_import(
    kept_in, client, personal, token, on_host, clock
):
    for number, (name, content) in enumerate(parts().items()):
        on_host(f"host{number % 2}")
        assert push(client, token, LISTS, name, content).status_code == 201
    clock.advance(minutes=16)

    on_host("three")
    transfers.tick()
    transfers.take(personal.pk)
    requests.advance(SyncRun.objects.get().pk)

    assert {name for _key, name in held(personal)} == set(PEOPLE)
    assert not TransferredItem.objects.exclude(stored="").exists()
    assert [each.name for each in keeping.storage().find()] == []


def test_an_import_waits_for_a_storage_that_does_not_answer(kept, settings, tmp_path, clock):
    people = population(20, seed=2)
    run = sent(kept, people)
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings.FILES_URL = (blocked / "files").as_uri()
    for _time in range(5):
        requests.advance(run.pk)
        clock.advance(minutes=2)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("waiting", 0)

    settings.FILES_URL = ""
    requests.advance(run.pk)

    run.refresh_from_db()
    assert run.state == "succeeded"
    assert names(kept) == set(people)


def test_an_archive_that_is_gone_is_told_in_words(kept, on_host):
    """As on two hosts that share nothing, which staff are told of at the start."""
    on_host("one")
    run = sent(kept, population(20, seed=2))

    on_host("two")
    requests.advance(run.pk)

    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "file_missing")
    assert "no longer there" in in_words("file_missing")


def test_a_member_is_told_to_try_again_while_nothing_can_be_stored(kept, settings, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings.FILES_URL = (blocked / "files").as_uri()

    with pytest.raises(files.StorageFailed, match="storage_unavailable"):
        sent(kept, population(20, seed=2))

    assert not SyncRun.objects.exists()
