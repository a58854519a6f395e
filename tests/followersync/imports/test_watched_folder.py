"""A folder to which Instagram delivers an export a day keeps the list true by itself."""

from __future__ import annotations

import random
import socket
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from accounts import crypto
from accounts.errors import InvalidInput
from accounts.scopes import Scope
from accounts.services import consent as consents
from followersync import selectors, store
from followersync.models import (
    Absence,
    ArchiveImport,
    Follower,
    SyncRun,
    SyncSettings,
    WatchedExport,
    WatchedFolder,
)
from followersync.services import outbound_slots
from followersync.services.imports import requests, watched_folders
from tests.followersync.imports.conftest import names
from tests.support.clock import Clock
from tests.support.dripping import DRIPS, endless
from tests.support.exports import Export, population
from tests.support.factories import LinkedAccountFactory

pytestmark = pytest.mark.django_db

FIRST = date(2026, 8, 1)


class Life:
    """People who follow, leave and change their names, day by day; seeded."""

    def __init__(self) -> None:
        self.random = random.Random(7)
        self.people = population(400, newest=_second(FIRST, 1))
        self.renamed = 0

    def pass_day(self, day: date) -> None:
        ordered = sorted(self.people, key=self.people.__getitem__)
        # Neither the oldest nor the newest leave: of those an archive alone tells only in weeks.
        for name in self.random.sample(ordered[20:-20], 2):
            del self.people[name]
        for name in self.random.sample(sorted(self.people), 1):
            self.renamed += 1
            self.people[f"renamed.{self.renamed}"] = self.people.pop(name)
        for number in range(3):
            self.people[f"new.{day:%m%d}.{number}"] = _second(day, 2 + number)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    place = tmp_path / "inbox"
    place.mkdir()
    return place


def deliver(inbox: Path, export: Export, *, unpacked: bool) -> None:
    """As Instagram does: a zip, or unpacked below a folder of the hour."""
    if not unpacked:
        export.write_zip(inbox)
        return
    export.write_folder(inbox / f"meta-{export.day:%Y-%b-%d}-09-04-51")


def work(clock: Clock, account) -> None:
    """Let the queue do what it would: look, import, look again, until nothing waits."""
    folder = WatchedFolder.objects.get(account=account)
    while watched_folders.look(folder.pk):
        for run in SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN):
            requests.advance(run.pk)
        clock.advance(minutes=1)


@pytest.mark.slow
def test_a_month_of_daily_exports_ends_equal_to_the_truth(kept, inbox, clock):
    clock.moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    watched_folders.watch(account=kept, url=f"file://{inbox}", options={}, local_allowed=True)
    life = Life()
    lost: list[str] = []

    for number in range(30):
        day = FIRST + timedelta(days=number)
        if number:
            life.pass_day(day)
        whole = Export(dict(life.people), following=population(12, seed=4), day=day)
        if number == 10:
            (inbox / whole.name).write_bytes(whole.zip()[:-700])
        elif number == 15:
            deliver(
                inbox, Export(population(90, seed=5), owner="bob.there", day=day), unpacked=True
            )
        elif number == 20:
            newest = sorted(life.people.items(), key=lambda person: -person[1])[:80]
            deliver(inbox, Export(dict(newest), day=day), unpacked=False)
        else:
            deliver(inbox, whole, unpacked=number % 2 == 1)
        clock.moment = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
        work(clock, kept)
        lost += [row.username for row in _lost(kept) if row.username in life.people]

    waiting = Absence.objects.filter(account_id=kept.pk).values_list("key", flat=True)
    unconfirmed = set(
        Follower.objects.filter(key__in=[*waiting]).values_list("username", flat=True)
    )
    assert names(kept) - unconfirmed == set(life.people)
    assert len(unconfirmed) <= 3
    assert lost == []
    held = _dates(kept)
    assert {name: held[name] for name in life.people} == life.people
    settings = SyncSettings.objects.get(pk=kept.pk)
    assert store.recount(kept.pk, bytes(settings.digest_key)) == (
        settings.followers_count,
        settings.digest,
    )
    refused = WatchedExport.objects.exclude(error_code="")
    assert {each.error_code for each in refused} == {"archive_damaged", "archive_owner_renamed"}
    assert WatchedExport.objects.count() == 30
    assert ArchiveImport.objects.filter(kind="ranged").count() == 1
    assert sum(run.renamed for run in SyncRun.objects.all()) >= 25


def test_an_export_is_imported_once(kept, inbox, clock):
    clock.moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    deliver(inbox, Export(population(30), day=FIRST), unpacked=False)
    watched_folders.watch(account=kept, url=f"file://{inbox}", options={}, local_allowed=True)

    for _ in range(3):
        work(clock, kept)
        clock.advance(hours=6)

    assert ArchiveImport.objects.count() == 1


def test_folders_that_are_due_are_enqueued_once(kept, inbox, clock):
    clock.moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    watched_folders.watch(account=kept, url=f"file://{inbox}", options={}, local_allowed=True)

    clock.advance(minutes=2)
    assert (watched_folders.tick(), watched_folders.tick()) == (1, 0)
    clock.advance(hours=1)
    assert watched_folders.tick() == 1


def test_a_folder_that_went_away_is_tried_again_later_and_the_reason_kept(kept, inbox, clock):
    clock.moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    folder = watched_folders.watch(
        account=kept, url=f"file://{inbox}", options={}, local_allowed=True
    )
    WatchedFolder.objects.filter(pk=folder.pk).update(url="webdav://127.0.0.1:9/nothing")

    watched_folders.look(folder.pk)

    folder.refresh_from_db()
    assert folder.error_code == "folder_unreachable"
    assert folder.next_look_at is not None
    assert folder.next_look_at > clock.moment


def test_without_consent_no_folder_is_looked_into(kept, inbox, clock, alice):
    clock.moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    deliver(inbox, Export(population(30), day=FIRST), unpacked=False)
    folder = watched_folders.watch(
        account=kept, url=f"file://{inbox}", options={}, local_allowed=True
    )
    consents.withdraw(
        account=kept, scope=Scope.FOLLOWERS, channel="web", actor=alice, keep_data=True
    )

    watched_folders.look(folder.pk)

    assert not ArchiveImport.objects.exists()


def test_secrets_of_a_folder_are_kept_encrypted(kept, inbox, clock):
    options = {"auto_mkdir": False}
    watched_folders.watch(account=kept, url=f"file://{inbox}", options=options, local_allowed=True)

    kept_secrets = WatchedFolder.objects.get().secrets
    assert "auto_mkdir" not in kept_secrets
    assert "auto_mkdir" in crypto.decrypt(kept_secrets)


def test_a_member_cannot_have_a_path_of_this_machine_watched(kept, inbox):
    with pytest.raises(InvalidInput) as refused:
        watched_folders.watch(account=kept, url=f"file://{inbox}", options={})

    assert refused.value.code == "folder_scheme"
    assert not WatchedFolder.objects.exists()


def _second(day: date, hour: int) -> int:
    moment = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hour, seconds=7)
    return int(moment.timestamp())


def _lost(account) -> list:
    return selectors.changes_page(account, kind="lost", limit=1000).rows


def _dates(account) -> dict[str, int]:
    rows = Follower.objects.filter(account_id=account.pk).values_list("username", "since")
    return {name: int(since.timestamp()) for name, since in rows}


@pytest.mark.parametrize(
    ("url", "options", "code"),
    [
        ("file:///etc", {}, "folder_scheme"),
        ("webdavs://127.0.0.1/dav", {}, "folder_not_public"),
        ("webdavs://[::ffff:10.0.0.1]/dav", {}, "folder_not_public"),
        ("webdavs://localhost/dav", {}, "folder_not_public"),
        ("webdavs://[64:ff9b:1::a00:1]/dav", {}, "folder_not_public"),
        ("webdavs://[::127.0.0.1]/dav", {}, "folder_not_public"),
        ("webdavs://168.63.129.16/dav", {}, "folder_not_public"),
        ("webdav://93.184.215.14/dav", {}, "folder_not_public"),
        ("s3://bucket", {"endpoint_url": "https://169.254.169.254"}, "folder_not_public"),
    ],
)
def test_a_member_cannot_have_our_own_network_looked_into(kept, url, options, code):
    with pytest.raises(InvalidInput) as refused:
        watched_folders.watch(account=kept, url=url, options=options)

    assert refused.value.code == code
    assert not WatchedFolder.objects.exists()


def test_a_members_folder_is_looked_at_anew_whenever_it_is_read(kept, clock, monkeypatch):
    """A name may stand for another address by then."""
    folder = WatchedFolder.objects.create(
        account=kept,
        url="webdavs://rebinding.example.org/dav",
        secrets=crypto.encrypt("{}"),
        created_at=clock.moment,
    )
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)

    watched_folders.look(folder.pk)

    folder.refresh_from_db()
    assert folder.error_code == "folder_not_public"


def test_a_few_of_a_members_folders_are_looked_into_at_a_time(kept, inbox, clock):
    """Fifty folders on a server that drips would keep all workers from everybody else's."""
    deliver(inbox, Export(population(30), day=FIRST), unpacked=False)
    folder = watched_folders.watch(
        account=kept, url=f"file://{inbox}", options={}, local_allowed=True
    )
    for _other in range(outbound_slots.MOST_AT_ONCE):
        WatchedFolder.objects.create(
            account=LinkedAccountFactory(owner=kept.owner),
            url="webdavs://slow.example.org/dav",
            created_at=clock(),
            leased_until=clock() + outbound_slots.LEASE,
        )

    assert watched_folders.look(folder.pk) == 0
    assert not ArchiveImport.objects.exists()
    clock.advance(seconds=outbound_slots.LEASE.total_seconds() + 1)
    assert watched_folders.look(folder.pk) == 1


def test_a_folder_that_drips_is_told_to_be_slow_and_tried_again(kept, clock, monkeypatch):
    monkeypatch.setattr(watched_folders, "LOOK_SECONDS", 0.5)
    with endless(*DRIPS["headers"]) as server:
        folder = watched_folders.watch(
            account=kept,
            url=f"webdav://127.0.0.1:{server.port}/x",
            options={},
            local_allowed=True,
        )
        began = time.monotonic()
        watched_folders.look(folder.pk)
        took = time.monotonic() - began

    folder.refresh_from_db()
    assert (folder.error_code, folder.leased_until) == ("folder_too_slow", None)
    assert folder.next_look_at > clock.moment
    assert took < 5
