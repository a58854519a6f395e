"""Nightly work fits its night, and a person's words are searched for however large the site is."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import registry, tasks
from accounts.models import NightJob, ResidueFinding, User
from accounts.queue import CLUSTER
from accounts.registry import Progress
from accounts.selectors.duties import overdue_nightly_work
from accounts.services import erasure, nightly, processes, residue
from accounts.services.erasure import payloads as decoded
from accounts.services.residue import findings, identifiers, orphans, payloads
from followersync.models import Follower, SyncRun
from tests.support import leaving
from tests.support.clock import Clock
from tests.support.factories import MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def erased() -> leaving.Canary:
    canary = leaving.canary(followers=3)
    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")
    while erasure.advance(deletion.pk):
        pass
    return canary


def work_off() -> int:
    """What the queue does in a night; returns the number of slices."""
    slices = 0
    while job := nightly._next():
        nightly.work_slice(job.pk)
        slices += 1
    return slices


def at(clock: Clock, text: str) -> None:
    clock.moment = datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hour", "moment", "night"),
    [
        ("UTC", 3, "2026-11-20T02:59:00", date(2026, 11, 19)),
        ("UTC", 3, "2026-11-20T03:00:00", date(2026, 11, 20)),
        ("Europe/Berlin", 3, "2026-11-20T02:00:00", date(2026, 11, 20)),
        ("America/New_York", 3, "2026-11-20T07:59:00", date(2026, 11, 19)),
        ("Europe/Berlin", 2, "2026-03-29T01:00:00", date(2026, 3, 29)),  # there is no 2 o'clock
        ("UTC", 0, "2026-11-20T00:00:00", date(2026, 11, 20)),
    ],
)
def test_a_night_begins_at_the_operators_hour_in_the_sites_zone(
    settings, zone, hour, moment, night
):
    settings.SITE_TIME_ZONE, settings.NIGHTLY_HOUR = zone, hour

    assert nightly.tonight(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == night


def test_a_new_site_waits_for_its_first_night_and_works_once_in_each(clock: Clock):
    at(clock, "2026-11-20T12:00:00")
    tasks.privacy_tick()
    assert work_off() == 0

    at(clock, "2026-11-21T03:01:00")
    tasks.privacy_tick()
    assert work_off() == len(nightly.jobs())
    tasks.privacy_tick()
    assert work_off() == 0

    at(clock, "2026-11-22T03:01:00")
    tasks.privacy_tick()
    assert work_off() == len(nightly.jobs())
    assert set(NightJob.objects.values_list("night", flat=True)) == {date(2026, 11, 22)}


def test_the_queue_gets_one_piece_at_a_time_so_that_syncs_have_their_turn(clock, work_off_tasks):
    begin_a_night(clock)

    rung = work_off_tasks(tasks.privacy_tick, "accounts.tasks.work_night")

    assert rung == 1
    assert nightly._next() is not None


def begin_a_night(clock: Clock) -> None:
    at(clock, "2026-11-20T12:00:00")
    nightly.enqueue_due()
    at(clock, "2026-11-21T04:00:00")


@pytest.fixture
def work_off_tasks(work_off):
    return work_off


def test_a_killed_slice_is_taken_up_where_the_last_one_stood(clock: Clock, monkeypatch):
    begin_a_night(clock)
    seen: list[int] = []

    def count_to_three(progress: Progress, until: float) -> int:
        seen.append(progress.cursor.get("n", 0))
        if len(seen) == 2:
            raise KeyboardInterrupt
        progress.cursor["n"] = progress.cursor.get("n", 0) + 1
        progress.finished = progress.cursor["n"] == 3
        return 1

    monkeypatch.setattr(nightly, "jobs", lambda: {"counting": count_to_three})
    nightly.enqueue_due()
    job = NightJob.objects.get(name="counting")
    NightJob.objects.update(finished_at=None)

    assert nightly.work_slice(job.pk)
    with pytest.raises(KeyboardInterrupt):
        nightly.work_slice(job.pk)
    assert nightly._next() is None  # the dead worker's lease has not run out
    clock.advance(minutes=4)
    work_off()

    assert seen == [0, 1, 1, 2]
    job.refresh_from_db()
    assert (job.done, job.slices, job.finished_at is not None) == (3, 3, True)


def test_what_a_worker_that_died_had_in_hand_goes_on_at_once(clock: Clock, monkeypatch):
    """Else the whole night waits for three minutes."""
    monkeypatch.setenv(CLUSTER, "0badf00d")
    nightly.enqueue_due()
    at(clock, "2027-01-01T12:00:00")
    nightly.enqueue_due()
    first = nightly._next()
    assert first is not None
    assert nightly._claim(first.pk) is not None
    assert nightly._next() is None

    assert processes.end_leases("0badf00d", os.getpid()) == 1

    assert nightly._next() == first


def test_what_fails_waits_and_stops_nothing_else_and_is_told(clock: Clock, monkeypatch):
    begin_a_night(clock)

    def broken(older_than: datetime, limit: int) -> int:
        raise ValueError("no")

    monkeypatch.setitem(registry._retention_handlers, "runs", broken)
    nightly.enqueue_due()

    work_off()

    (told,) = overdue_nightly_work()
    assert (told.name, told.failures, told.error_code) == ("retention: runs", 1, "ValueError")
    assert NightJob.objects.filter(finished_at=None).count() == 1
    assert nightly._next() is None
    clock.advance(minutes=2)
    assert nightly._next() == told


def test_what_a_night_does_not_finish_the_next_goes_on_with(clock: Clock, monkeypatch, caplog):
    begin_a_night(clock)
    monkeypatch.setattr(nightly, "jobs", lambda: {"endless": endless})
    nightly.enqueue_due()
    NightJob.objects.update(finished_at=None)
    job = NightJob.objects.get()
    nightly.work_slice(job.pk)

    clock.advance(days=1)
    nightly.enqueue_due()

    job.refresh_from_db()
    assert (job.night, job.cursor, job.slices) == (date(2026, 11, 22), {"n": 1}, 0)
    assert "not finished within its night" in caplog.text


def endless(progress: Progress, until: float) -> int:
    progress.cursor["n"] = progress.cursor.get("n", 0) + 1
    return 1


def test_staff_see_what_took_long(clock: Clock, client, stella):
    begin_a_night(clock)
    nightly.enqueue_due()
    work_off()
    NightJob.objects.filter(name="retention: runs").update(seconds=1234.5, longest=61.0)
    client.force_login(stella, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get("/admin/overview/").content.decode()

    assert "retention: runs" in page
    assert "1234.5" in page


def test_the_operator_can_do_it_by_hand():
    out = StringIO()

    call_command("nightly", "retention: runs", "residue: words in tables", stdout=out)

    lines = out.getvalue().splitlines()
    assert [line[:16].strip() for line in lines] == ["retention: runs", "residue: words i"]


def slices(work, until: float = float("-inf")) -> tuple[int, int]:
    """(slices, noted) of one part of the search, each slice as short as can be."""
    progress, count, noted = Progress(), 0, 0
    while not progress.finished:
        # As it is kept between two slices.
        progress.cursor = {**progress.cursor}
        noted += work(progress, until)
        count += 1
    return count, noted


@pytest.mark.slow
def test_the_search_in_many_short_slices_finds_what_one_long_one_finds(
    erased, account, bob: User, monkeypatch
):
    monkeypatch.setattr(identifiers, "STRETCH", 1)
    monkeypatch.setattr(orphans, "STRETCH", 2)
    monkeypatch.setattr(payloads, "STRETCH", 1)
    for number in range(300):
        MemberFactory(username=f"filler{number}", first_name="x" * 150)
    User.objects.filter(pk=bob.pk).update(first_name=f"friend of {leaving.NAME}")
    for number in range(5):
        Follower.objects.create(account_id=account.pk, key=number, place=1, username="fine")
        Follower.objects.create(account_id=900_000 + number, key=1, place=1, username="left")
        leaving.ended_task("followersync.tasks.advance_run", number, "done")
    leaving.ended_task("followersync.tasks.advance_run", 77, f"error about {leaving.INSTAGRAM_ID}")

    counted = {part: slices(work) for part, work in residue.WORK.items()}

    assert counted["words in tables"][0] > 20
    assert counted["rows without an owner"][0] > 5
    assert counted["words in queue, sessions and cache"][0] > 5
    assert [noted for _slices, noted in counted.values()] == [5, 1, 1]
    tables = sorted(ResidueFinding.objects.values_list("table", flat=True))
    assert tables == ["accounts_user", "django_q_task", *["followersync_follower"] * 5]


def test_numbers_ids_and_bytes_are_searched_as_well_as_texts(erased, account, clock):
    SyncRun.objects.create(
        account=account, trigger="member", state="failed", created_at=clock(), finished_at=clock(),
        progress={"seen": [int(leaving.INSTAGRAM_ID)]},
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE stray (id bigint, held bytea, told inet, many text[])")
        cursor.execute(
            "INSERT INTO stray VALUES (%s, NULL, NULL, NULL), (1, %s, NULL, NULL),"
            " (2, NULL, NULL, %s)",
            [int(leaving.INSTAGRAM_ID), f"so {leaving.NAME}!".encode(), ["a", leaving.MAIL]],
        )

    identifiers.work(Progress(), float("inf"))

    assert sorted(ResidueFinding.objects.values_list("table", "column")) == [
        ("followersync_syncrun", "progress"),
        ("stray", "held"),
        ("stray", "id"),
        ("stray", "many"),
    ]


@pytest.mark.django_db(transaction=True)
def test_after_the_first_night_only_what_was_written_since_is_read(erased, bob, monkeypatch):
    first = Progress()
    identifiers.work(first, float("inf"))
    read: list[str] = []
    monkeypatch.setattr(
        identifiers.identifiers, "distinct", lambda text: read.append(text) or set()
    )

    identifiers.work(Progress(memory=dict(first.memory)), float("inf"))
    before = sum(map(len, read))
    read.clear()
    User.objects.filter(pk=bob.pk).update(first_name=leaving.NAME)
    identifiers.work(Progress(memory=dict(first.memory)), float("inf"))

    assert any(leaving.NAME in text for text in read)
    assert sum(map(len, read)) < before + 2_000
    monkeypatch.undo()
    assert identifiers.work(Progress(memory=dict(first.memory)), float("inf")) == 1


def test_while_nobody_was_erased_no_table_is_read(account, monkeypatch):
    def refuse(*_given: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr(identifiers, "_relations", refuse)
    monkeypatch.setattr(decoded, "SOURCES", {})
    assert not findings.needles()

    identifiers.work(Progress(), float("inf"))
