"""A member gets everything we hold about them, and nobody else does."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from accounts import registry
from accounts.errors import Conflict, Gone, NotFound
from accounts.models import DataExport, User
from accounts.selectors.privacy import export_of
from accounts.services import erasure, export
from accounts.services.erasure.data_map import holdings
from accounts.services.export import runner
from accounts.services.export.archive import Archive
from followersync.models import WatchedFolder
from tests.support import leaving
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home_of_this_test(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path


def made(owner: User) -> DataExport:
    asked = export.request_export(owner=owner)
    export.advance(asked.pk)
    asked.refresh_from_db()
    assert asked.state == "ready"
    return asked


def contents(ready: DataExport) -> dict[str, str]:
    stream, _name = export.open_file(export=ready)
    with stream, zipfile.ZipFile(stream) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def canary() -> leaving.Canary:
    found = leaving.canary(followers=12)
    export.erase_files(found.owner.pk)
    return found


def test_the_copy_holds_everything_twice_and_a_readme(canary: leaving.Canary):
    files = contents(made(canary.owner))

    folder = f"accounts/{canary.account.pk}-{leaving.NAME}"
    followers = json.loads(files[f"{folder}/followers.json"])
    table = list(csv.DictReader(io.StringIO(files[f"{folder}/followers.csv"])))
    assert len(followers) == len(table) == 12
    assert {row["username"] for row in followers} == {row["username"] for row in table}
    assert json.loads(files["member/addresses.json"])[0]["email"] == leaving.MAIL
    assert leaving.INSTAGRAM_ID in files[f"{folder}/account.csv"]
    assert "CSV" in files["README.txt"]


#: Every table that is keyed to somebody: the dataset that holds it, or why no copy does.
HELD = {
    "account_emailaddress": "member/addresses",
    "accounts_consentsubject": "/consents",
    "accounts_dataexport": "member/copies",
    "accounts_staffview": "member/looks_by_staff",
    "allauth_idp_oidc_token": "member/programs",
    "followersync_absence": "/followers",
    "followersync_archiveimport": "/imports",
    "followersync_dailytotal": "/daily_totals",
    "followersync_demographics": "/demographics",
    "followersync_follower": "/followers",
    "followersync_followerchange": "/changes",
    "followersync_followersnapshot": "/snapshots",
    "followersync_pastfollow": "/past_follows",
    "followersync_syncrun": "/sync_runs",
    "followersync_syncsettings": "/sync_settings",
    "followersync_transferreditem": "/transferred_files",
    "followersync_watchedexport": "/watched_exports",
    "followersync_watchedfolder": "/watched_folder",
    "followersync_webhooksubscription": "member/webhooks",
    "mfa_authenticator": "member/second_factors",
    "socialaccount_socialaccount": "member/sign_ins",
    "usersessions_usersession": "member/sessions",
}
NOT_HELD = {
    "account_emailconfirmation": "a key that was mailed, nothing about anybody",
    "accounts_accesstoken": "a secret that protects the member",
    "accounts_keptfile": "where copies and uploads lie until they are fetched or imported",
    "accounts_idempotencyrecord": "answers given already, kept for a day",
    "accounts_privacyrequest": "which staff decided it",
    "accounts_quotause": "a counter of the last hour",
    "accounts_residuefinding": "which staff judged it",
    "accounts_user_groups": "what staff may do",
    "accounts_user_user_permissions": "what staff may do",
    "allauth_idp_oidc_client": "programs that staff set up",
    "django_admin_log": "what staff did; theirs by another way, as employees",
    "followersync_callbudget": "a counter of the last hour",
    "followersync_fullscan": "a scan under way; its outcome is a snapshot",
    "followersync_insightsreading": "when we read next",
    "followersync_scanpage": "a scan under way; its people are in the list",
    "followersync_webhookmark": "how far a program was told",
    "socialaccount_socialtoken": "a secret; none is kept",
}


def test_no_table_that_is_keyed_to_somebody_was_forgotten(canary: leaving.Canary):
    keyed = {h.table for of in ("account", "member") for h in holdings(of)}
    assert keyed == HELD.keys() | NOT_HELD.keys()

    names = contents(made(canary.owner)).keys()

    missing = [part for part in HELD.values() if not any(f"{part}.json" in n for n in names)]
    assert missing == []


def test_the_copy_names_the_folder_but_not_the_key_to_it(canary: leaving.Canary, clock: Clock):
    WatchedFolder.objects.create(
        account=canary.account, url="s3://bucket/exports", secrets="ciphertext", created_at=clock()
    )

    files = contents(made(canary.owner))

    assert "s3://bucket/exports" in "".join(files.values())
    assert "ciphertext" not in "".join(files.values())


def test_the_copy_holds_each_consent_with_the_text_agreed_to(canary: leaving.Canary):
    files = contents(made(canary.owner))

    consents = json.loads(files[f"accounts/{canary.account.pk}-{leaving.NAME}/consents.json"])

    assert {event["scope"] for event in consents} >= {"profile", "followers"}
    assert all(event["text"] for event in consents)


def test_the_copy_holds_no_secret(canary: leaving.Canary):
    everything = "\n".join(contents(made(canary.owner)).values())

    for secret in (leaving.TOKEN, "quetzalsecret", "quetzalhash", canary.owner.password):
        assert secret not in everything


def test_the_copy_holds_nothing_of_another_member(canary: leaving.Canary, bob: User):
    everything = "\n".join(contents(made(bob)).values()).lower()

    assert not [word for word in canary.words if word in everything]


def test_a_stranger_cannot_reach_the_copy(canary: leaving.Canary, charlie: User):
    ready = made(canary.owner)

    with pytest.raises(NotFound):
        export_of(charlie, ready.pk)
    assert export_of(canary.owner, ready.pk) == ready


def test_the_readme_is_in_the_members_language(canary: leaving.Canary):
    User.objects.filter(pk=canary.owner.pk).update(language="de")

    assert contents(made(canary.owner))["README.txt"]


def test_a_second_copy_is_not_begun_while_one_is_made(alice: User):
    export.request_export(owner=alice)

    with pytest.raises(Conflict) as refused:
        export.request_export(owner=alice)
    assert refused.value.code == "export_running"


def test_a_copy_that_is_not_made_yet_cannot_be_fetched(alice: User):
    asked = export.request_export(owner=alice)

    with pytest.raises(Conflict):
        export.open_file(export=asked)


def test_a_copy_expires_and_its_file_goes(alice: User, clock: Clock):
    ready = made(alice)
    clock.advance(days=runner.KEPT_DAYS, minutes=1)

    with pytest.raises(Gone):
        export.open_file(export=ready)
    assert export.expire() == 1
    assert export.files_of(alice.pk) == []


def test_a_copy_killed_half_way_is_made_anew(alice: User, clock: Clock, monkeypatch):
    asked = export.request_export(owner=alice)

    def die(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "add_text", die)
        with pytest.raises(KeyboardInterrupt):
            export.advance(asked.pk)
    assert export.due() == []
    clock.advance(minutes=3)

    assert export.due() == [asked.pk]
    export.advance(asked.pk)
    asked.refresh_from_db()
    assert asked.state == "ready"
    assert len(export.files_of(alice.pk)) == 1


def test_an_erasure_takes_the_copy_along_even_while_it_is_made(account, monkeypatch):
    asked = export.request_export(owner=account.owner)

    def leave_meanwhile(owner_id: int) -> Iterator[dict[str, Any]]:
        yield {"row": 1}
        erasure.advance(erasure.request_account_erasure(account=account, channel="web").pk)

    monkeypatch.setitem(registry._owner_exporters, "meanwhile", leave_meanwhile)
    export.advance(asked.pk)

    assert export.files_of(account.owner_id) == []
    assert not DataExport.objects.exists()


def test_a_failing_dataset_fails_the_copy_openly_in_the_end(alice: User, clock, monkeypatch):
    def broken(owner_id: int) -> Iterator[dict[str, Any]]:
        if owner_id:
            raise ValueError("broken")
        yield {}

    monkeypatch.setitem(registry._owner_exporters, "broken", broken)
    asked = export.request_export(owner=alice)
    for _time in range(runner.MOST_ATTEMPTS):
        export.advance(asked.pk)
        clock.advance(minutes=3)

    asked.refresh_from_db()
    assert asked.state == "failed"
    assert export.files_of(alice.pk) == []


def test_progress_can_be_watched(alice: User, monkeypatch):
    seen: list[dict[str, Any]] = []

    def many(owner_id: int) -> Iterator[dict[str, Any]]:
        for n in range(runner.ROWS_PER_BEAT + 1):
            yield {"n": n}
        seen.append(DataExport.objects.get().progress)

    monkeypatch.setitem(registry._owner_exporters, "many", many)
    made(alice)

    assert seen[0]["rows"] == runner.ROWS_PER_BEAT
    assert seen[0]["dataset"] == "member/many"


def test_rows_pass_through_and_are_not_gathered(tmp_path):
    """What a million followers need: memory that does not grow with their number."""

    def rows(count: int) -> Iterator[dict[str, Any]]:
        return ({"id": str(n), "username": f"person.number.{n}"} for n in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        with (tmp_path / f"{count}.zip").open("wb") as file, Archive(file) as archive:
            archive.add("followers", rows(count))
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(40_000) < peak(4_000) + 200_000


def test_a_cell_is_never_a_spreadsheets_formula(tmp_path):
    with (tmp_path / "a.zip").open("wb") as file, Archive(file) as archive:
        archive.add("x", iter([{"name": "=HYPERLINK(1)", "n": -5}]))

    with zipfile.ZipFile(tmp_path / "a.zip") as made_file:
        assert made_file.read("x.csv").decode().splitlines()[1] == "'=HYPERLINK(1),-5"
