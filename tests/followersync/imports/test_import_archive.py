"""A list by archives: what comes in, what leaves, and what nobody may conclude from them."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

import pytest

from accounts import files
from accounts.errors import ConsentMissing
from accounts.scopes import Scope
from accounts.services import consent as consents
from followersync import selectors, store
from followersync.errors import SyncRunning
from followersync.models import Absence, ArchiveImport, Follower, FollowerChange, SyncSettings
from followersync.services.imports import requests
from followersync.services.sync import lease
from followersync.texts.imports import result_in_words
from tests.followersync.imports.conftest import names
from tests.support.exports import Export, population

pytestmark = pytest.mark.django_db

FIRST = date(2026, 8, 1)
START = int(datetime(2026, 8, 1, 6, tzinfo=UTC).timestamp())


def people(count: int = 200, seed: int = 1) -> dict[str, int]:
    return population(count, seed=seed, newest=START)


def export(followers: dict[str, int], days: int = 0, **how) -> Export:
    how.setdefault("following", {f"friend{n}": START - n * 86_400 for n in range(12)})
    return Export(followers, day=FIRST + timedelta(days=days), **how)


def followed_on(days: int, hour: int = 3) -> int:
    return int((datetime(2026, 8, 1, hour, tzinfo=UTC) + timedelta(days=days)).timestamp())


def digest_agrees(account) -> bool:
    settings = SyncSettings.objects.get(pk=account.pk)
    held = store.recount(account.pk, bytes(settings.digest_key))
    return held == (settings.followers_count, settings.digest)


def test_the_first_archive_is_the_baseline_with_true_dates_and_no_feed(kept, bring):
    listed = people()

    run = bring(kept, export(listed))

    assert (run.state, run.gained, run.lost) == ("succeeded", 0, 0)
    page = selectors.followers_page(kept, limit=1000)
    assert {row.username: int(row.since.timestamp()) for row in page.rows if row.since} == listed
    assert page.rows[0].public_id.startswith("u_")
    assert page.rows[0].source == "archive"
    assert not FollowerChange.objects.filter(account_id=kept.pk).exists()
    assert digest_agrees(kept)
    assert ArchiveImport.objects.get().kind == "whole"


def test_who_came_is_told_at_once_and_who_left_by_the_second_archive_without_them(kept, bring):
    listed = people()
    bring(kept, export(listed))
    gone = sorted(listed, key=listed.__getitem__)[100]
    later = {n: s for n, s in listed.items() if n != gone} | {"new.one": followed_on(2)}

    run = bring(kept, export(later, days=3))
    again = bring(kept, export(later | {"newer.one": followed_on(3)}, days=4))

    assert (run.gained, run.lost, run.found) == (1, 0, 0)
    assert (again.gained, again.lost, again.found) == (1, 1, 0)
    assert names(kept) == {*later, "newer.one"}
    assert digest_agrees(kept)
    feed = selectors.changes_page(kept, after=0).rows
    assert [(row.kind, row.username) for row in feed] == [
        ("gained", "new.one"),
        ("lost", gone),
        ("gained", "newer.one"),
    ]
    assert not Absence.objects.exists()


@pytest.mark.slow
def test_a_date_ranged_export_loses_nobody_it_left_out(kept, bring):
    listed = people()
    bring(kept, export(listed))
    newest = dict(sorted(listed.items(), key=lambda person: -person[1])[:60])

    for day in range(1, 30):
        run = bring(kept, export(newest, days=day))

        assert run.lost == 0
    assert names(kept) == set(listed)
    job = ArchiveImport.objects.latest("pk")
    assert job.kind == "ranged"
    assert "stored_older" in job.reasons
    assert not Absence.objects.exists()


def test_a_ranged_export_shows_who_is_missing_within_its_range_and_loses_nobody(kept, bring):
    listed = people()
    bring(kept, export(listed))
    ordered = sorted(listed, key=lambda name: -listed[name])
    ranged = {name: listed[name] for name in ordered[:60] if name != ordered[30]}

    for day in range(1, 4):
        ranged |= {f"new.{day}": followed_on(day)}
        assert bring(kept, export(ranged, days=day)).lost == 0

    absence = Absence.objects.get(account_id=kept.pk)
    assert absence.key == Follower.objects.get(username=ordered[30]).key
    assert absence.witnessed == 0


def test_a_missing_part_loses_nobody_in_it(kept, bring):
    listed = people()
    bring(kept, export(listed))

    run = bring(kept, export(listed, days=1, per_part=50, leave_out_parts=frozenset({2})))

    assert run.lost == 0
    assert names(kept) == set(listed)
    assert ArchiveImport.objects.latest("pk").kind == "partial"


def test_an_empty_list_loses_nobody(kept, bring):
    listed = people()
    bring(kept, export(listed))

    run = bring(kept, export({}, days=1))

    assert run.lost == 0
    assert names(kept) == set(listed)
    assert ArchiveImport.objects.latest("pk").kind == "doubtful"


def test_a_rename_is_no_loss_where_one_pair_alone_shares_its_second(kept, bring):
    listed = people()
    bring(kept, export(listed))
    old = sorted(listed)[5]
    later = {("renamed.now" if n == old else n): s for n, s in listed.items()}
    key = Follower.objects.get(account_id=kept.pk, username=old).key

    run = bring(kept, export(later, days=1))

    assert (run.renamed, run.lost, run.gained) == (1, 0, 0)
    assert Follower.objects.get(account_id=kept.pk, username="renamed.now").key == key
    assert digest_agrees(kept)


@pytest.mark.slow
def test_two_who_share_a_second_and_a_new_name_are_neither_renamed_nor_lost(kept, bring):
    listed = people()
    listed |= {"twin.a": START - 5000, "twin.b": START - 5000}
    bring(kept, export(listed))
    later = {n: s for n, s in listed.items() if not n.startswith("twin")}
    later["who.knows"] = START - 5000

    for day in range(1, 25):
        run = bring(kept, export(later, days=day))
        assert (run.renamed, run.lost) == (0, 0)

    assert {"twin.a", "twin.b", "who.knows"} <= names(kept)


def test_who_was_missed_once_and_follows_since_later_has_left_and_come_back(kept, bring):
    listed = people()
    bring(kept, export(listed))
    back = sorted(listed)[7]
    without = {n: s for n, s in listed.items() if n != back}
    bring(kept, export(without, days=2))

    run = bring(kept, export(listed | {back: followed_on(4)}, days=5))

    assert (run.lost, run.returned, run.gained) == (1, 1, 0)
    words = " ".join(result_in_words(run))
    assert "1 person was missing from an earlier look and follows you since later." in words
    assert "two looks" not in words
    history = selectors.follower_history(
        kept, store_id(Follower.objects.get(account_id=kept.pk, username=back).key)
    )
    assert len(history.intervals) == 2
    assert not Absence.objects.exists()
    assert digest_agrees(kept)


def test_a_newer_date_alone_is_neither_a_loss_nor_a_return(kept, bring):
    listed = people()
    bring(kept, export(listed))
    back = sorted(listed)[7]

    run = bring(kept, export(listed | {back: followed_on(4)}, days=5))

    assert (run.lost, run.returned, run.gained) == (0, 0, 0)
    row = Follower.objects.get(account_id=kept.pk, username=back)
    assert row.since == datetime.fromtimestamp(followed_on(4), UTC)


def test_somebody_lost_is_known_again_when_they_return(kept, bring):
    listed = people()
    bring(kept, export(listed))
    gone = sorted(listed, key=listed.__getitem__)[100]
    key = Follower.objects.get(account_id=kept.pk, username=gone).key
    without = {n: s for n, s in listed.items() if n != gone}
    bring(kept, export(without, days=1))
    without["new.one"] = followed_on(1, hour=20)
    assert bring(kept, export(without, days=2)).lost == 1

    run = bring(kept, export(without | {gone: followed_on(4)}, days=5))

    assert (run.returned, run.gained) == (1, 0)
    assert Follower.objects.get(account_id=kept.pk, username=gone).key == key


def test_an_older_archive_overwrites_nothing_that_a_newer_one_knows(kept, bring):
    listed = people()
    bring(kept, export(listed, days=10))
    older = dict(list(listed.items())[10:]) | {"left.since": START - 40_000}

    run = bring(kept, export(older, days=0), at=datetime(2026, 8, 20, tzinfo=UTC))

    assert (run.lost, run.gained, run.found) == (0, 0, 0)
    assert names(kept) == set(listed)


def test_an_older_whole_archive_fills_in_what_a_ranged_one_left_out(kept, bring):
    listed = people()
    newest = dict(sorted(listed.items(), key=lambda person: -person[1])[:60])
    bring(kept, export(newest, days=10))

    run = bring(kept, export(listed, days=0), at=datetime(2026, 8, 20, tzinfo=UTC))

    assert (run.found, run.gained, run.lost) == (140, 0, 0)
    assert names(kept) == set(listed)


def test_the_newest_and_the_oldest_are_lost_by_the_second_whole_export_too(kept, bring):
    listed = people()
    bring(kept, export(listed))
    ends = {min(listed, key=listed.__getitem__), max(listed, key=listed.__getitem__)}
    later = {n: s for n, s in listed.items() if n not in ends}

    runs = [
        bring(kept, export(later | {f"new.{day}": followed_on(day)}, days=day)) for day in (1, 2)
    ]

    assert [run.lost for run in runs] == [0, 2]
    assert not ends & names(kept)
    assert digest_agrees(kept)


def test_the_same_archive_again_changes_nothing(kept, bring):
    bring(kept, export(people()))
    head = SyncSettings.objects.get(pk=kept.pk).head

    run = bring(kept, export(people(), days=1))

    assert (run.state, run.gained, run.lost) == ("succeeded", 0, 0)
    assert SyncSettings.objects.get(pk=kept.pk).head == head


def test_a_list_that_turns_out_broken_in_the_middle_changes_nothing(kept, bring, clock):
    listed = people()
    bring(kept, export(listed))
    path = "connections/followers_and_following/followers_2.json"
    broken = export({"x.y": START}, days=1, extra={path: b'[{"string_list_data":'})

    run = bring(kept, broken)

    assert run.state == "failed"
    assert run.error_code == "archive_damaged"
    assert names(kept) == set(listed)
    assert ArchiveImport.objects.latest("pk").stored == ""


def test_without_consent_nothing_is_imported(kept, bring, alice):
    consents.withdraw(account=kept, scope=Scope.FOLLOWERS, channel="web", actor=alice)

    with pytest.raises(ConsentMissing):
        bring(kept, export(people()))


def test_consent_withdrawn_while_it_waits_stops_the_import(kept, alice, clock):
    clock.moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    run = requests.request_import(
        account=kept, uploaded_file=io.BytesIO(export(people()).zip()), channel="web",
        file_name=export({}).name,
    )  # fmt: skip
    consents.withdraw(account=kept, scope=Scope.FOLLOWERS, channel="web", actor=alice)

    requests.advance(run.pk)

    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not Follower.objects.exists()


def test_a_second_upload_waits_for_the_first(kept, clock):
    clock.moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    how = {"account": kept, "channel": "web", "file_name": export({}).name}
    run = requests.request_import(uploaded_file=io.BytesIO(export(people()).zip()), **how)

    with pytest.raises(SyncRunning) as running:
        requests.request_import(uploaded_file=io.BytesIO(export(people()).zip()), **how)

    assert running.value.run == run


def test_an_import_whose_worker_died_is_done_once_by_the_next(kept, clock):
    clock.moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    run = requests.request_import(
        account=kept, uploaded_file=io.BytesIO(export(people()).zip()), channel="web",
        file_name=export({}).name,
    )  # fmt: skip
    from followersync.services.sync import lease

    assert lease.take(run.pk)
    assert requests.advance(run.pk) is False
    assert not Follower.objects.exists()

    clock.advance(minutes=5)
    requests.advance(run.pk)

    assert Follower.objects.count() == 200


@pytest.mark.parametrize("dialect", ["relationships", "title", "label_values_ru", "connections"])
def test_a_change_of_dialect_between_two_archives_is_no_change_of_followers(kept, bring, dialect):
    listed = people()
    bring(kept, export(listed))

    run = bring(kept, export(listed, days=1, dialect=dialect))

    assert (run.gained, run.lost, run.renamed, run.returned, run.found) == (0, 0, 0, 0, 0)


def test_a_page_rounds_times_to_the_minute_and_still_loses_and_redates_nobody(kept, bring):
    listed = people()
    bring(kept, export(listed))

    run = bring(kept, export(listed, days=1, dialect="html"))
    back = bring(kept, export(listed, days=2))

    for each in (run, back):
        assert (each.gained, each.lost, each.renamed, each.returned) == (0, 0, 0, 0)
    stored = Follower.objects.filter(account_id=kept.pk).values_list("username", "since")
    assert {name: int(since.timestamp()) for name, since in stored} == listed


@pytest.mark.slow
def test_a_name_seen_only_on_a_page_and_changed_again_is_nobodys_loss(kept, bring):
    listed = people()
    bring(kept, export(listed))
    old = sorted(listed, key=listed.__getitem__)[100]
    second = listed.pop(old)
    bring(kept, export(listed | {"name.two": second}, days=1, dialect="html"))

    runs = [bring(kept, export(listed | {"name.three": second}, days=day)) for day in range(2, 20)]

    assert [run.lost for run in runs] == [0] * 18


def test_an_older_name_in_a_late_export_is_not_taken_for_another_person(kept, bring):
    listed = people()
    bring(kept, export(listed))
    old = sorted(listed, key=listed.__getitem__)[100]
    renamed = {("renamed.now" if n == old else n): s for n, s in listed.items()}
    newest = dict(sorted(renamed.items(), key=lambda person: -person[1])[:50])
    bring(kept, export(renamed, days=2))
    bring(kept, export(newest, days=4))

    late = bring(kept, export(listed, days=1), at=datetime(2026, 8, 6, 12, tzinfo=UTC))

    assert (late.found, late.gained) == (0, 0)
    assert old not in names(kept)


def test_an_archive_that_nobody_will_import_any_more_is_removed(kept, clock):
    clock.moment = datetime.now(UTC)
    run = requests.request_import(
        account=kept,
        uploaded_file=io.BytesIO(export(people()).zip()),
        channel="web",
        file_name=export({}).name,
    )
    waiting = files.names(files.Area.IMPORTS)

    assert (len(waiting), requests.sweep()) == (1, 0)
    lease.cancel_open(kept)
    clock.advance(hours=2)
    assert requests.sweep() == 1
    assert requests.advance(run.pk) is False


def store_id(key: int) -> str:
    return f"u_{-key}"
