"""A request never looks into an archive: it checks the ends of the file, and the queue reads it."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from accounts import files
from accounts.errors import InvalidInput
from accounts.scopes import Scope
from followersync.models import ArchiveImport, Follower, SyncRun
from followersync.services.imports import requests
from followersync.services.sync import lease
from followersync.sources.archive.reader_process import Waiting
from followersync.texts.imports import result_in_words
from tests.support import hostile
from tests.support.exports import FOLDER, Export, population
from tests.support.factories import LinkedAccountFactory, consent

MIB = 1 << 20
PARSED = {name: attack for name, attack in hostile.ATTACKS.items() if name != "hidden_directory"}


class Counting(io.BytesIO):
    """A file that counts the bytes read of it, but for those that are copied in whole pieces."""

    counted = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size != MIB:
            self.counted += len(data)
        return data


@pytest.mark.slow
@pytest.mark.parametrize("attack", PARSED.values(), ids=PARSED)
def test_a_hostile_archive_costs_the_request_a_copy_and_ends_in_words(kept, attack):
    file = Counting(attack())

    tracemalloc.start()
    run = requests.request_import(
        account=kept, uploaded_file=file, channel="api", file_name="export.zip"
    )
    requests.advance(run.pk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    run.refresh_from_db()
    assert file.counted < 100_000
    assert peak < 16 * MIB
    assert (run.state, run.error_code) == ("failed", "archive_wrong_shape")
    assert len(result_in_words(run)[0]) > 40
    assert not Follower.objects.exists()


def test_archives_of_one_member_are_read_one_after_another(kept, alice, bob, work_off):
    """Each may hold a worker for a minute and a half, and a member may have many accounts."""
    second = ask_for(kept_by_archives(alice, "alice.second"))
    first, of_bob = ask_for(kept), ask_for(kept_by_archives(bob, "bob.there"))
    held = lease.take(first.pk)
    assert held is not None

    for run in (second, of_bob):
        requests.advance(run.pk)

    assert states(second, of_bob) == ["queued", "succeeded"]
    lease.release(held)
    work_off(lambda: requests.advance(first.pk), requests.TASK)
    assert states(first, second) == ["succeeded", "succeeded"]


def test_an_archive_that_takes_long_is_read_by_one_worker(kept, clock):
    """A reader that is silent for longer than a lease must not be taken for dead."""
    run, beats = ask_for(kept), []

    def beat() -> None:
        beats.append(lease.take(run.pk))
        clock.advance(seconds=20)
        if len(beats) == 3:
            raise InterruptedError

    held = lease.take(run.pk)
    assert held is not None
    job = ArchiveImport.objects.get(run=run)
    with (
        pytest.raises(InterruptedError),
        files.scratch_copy(job.stored) as file,
        requests.opened_in_process(
            file,
            job.file_name,
            waiting=Waiting(lambda: (lease.commit(held), beat()), every=0.001),
        ),
    ):
        pass

    assert beats == [None, None, None]


def kept_by_archives(owner, username: str):
    account = LinkedAccountFactory(owner=owner, kind="archive", username=username)
    consent(account, Scope.PROFILE, Scope.FOLLOWERS)
    return account


def ask_for(account) -> SyncRun:
    export = Export(population(30), owner=account.username)
    return requests.request_import(
        account=account,
        uploaded_file=io.BytesIO(export.zip()),
        channel="web",
        file_name=export.name,
    )


def states(*runs: SyncRun) -> list[str]:
    return [SyncRun.objects.get(pk=run.pk).state for run in runs]


def test_a_directory_that_hides_is_refused_by_the_request_itself(kept):
    file = Counting(hostile.hidden_directory(450_000))

    with pytest.raises(InvalidInput) as refused:
        requests.request_import(
            account=kept, uploaded_file=file, channel="api", file_name="export.zip"
        )

    assert refused.value.code == "archive_damaged"
    assert file.counted < 100_000
    assert not ArchiveImport.objects.exists()
    assert not files.names(files.Area.IMPORTS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my people.json", "“my people.json” was renamed"),
        ("followers_1.json", "written in a way we do not know"),
    ],
)
def test_what_the_queue_could_not_read_is_told_by_the_files_name(kept, name, said):
    file = io.BytesIO(b'[{"username": "anna"}]')
    run = requests.request_import(account=kept, uploaded_file=file, channel="api", file_name=name)
    requests.advance(run.pk)

    run.refresh_from_db()
    assert said in result_in_words(run)[0]


def test_rows_that_name_nobody_are_told(kept, bring):
    people = population(30)
    export = Export(people)
    path = FOLDER + "followers_1.json"
    rows = export.files()[path][:-2] + b', null, {"title": null}]'
    file = io.BytesIO(hostile.zipped({path: rows}))

    run = requests.request_import(
        account=kept, uploaded_file=file, channel="web", file_name=export.name
    )
    requests.advance(run.pk)

    run.refresh_from_db()
    assert "2 rows name nobody and were left out." in result_in_words(run)
    assert Follower.objects.filter(account_id=kept.pk).count() == 30
    assert SyncRun.objects.get().state == "succeeded"
