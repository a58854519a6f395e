"""One list from several sources: ids that become known, dates that archives tell, no false loss."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.scopes import Scope
from accounts.services import suppression
from followersync import selectors, store
from followersync.domain.values import Added, AddedKind, Renamed
from followersync.models import Absence, Follower, FollowerSnapshot, Mode, PastFollow, SyncSettings
from followersync.services.sync import feed
from followersync.services.sync.settings import settings_of
from tests.followersync.imports.conftest import names
from tests.support.exports import Export, population
from tests.support.factories import LinkedAccountFactory, consent

pytestmark = pytest.mark.django_db

START = int(datetime(2026, 8, 1, 6, tzinfo=UTC).timestamp())
FIRST = date(2026, 8, 1)


def people(count: int = 60) -> dict[str, int]:
    return population(count, newest=START)


def export(followers: dict[str, int], days: int = 0) -> Export:
    following = {f"friend{n}": START - n * 86_400 for n in range(12)}
    return Export(followers, following=following, day=FIRST + timedelta(days=days))


def shown_by_edge(listed: list[str], kind: AddedKind = AddedKind.BASELINE) -> feed.Changes:
    """What the edge's first pages bring: an id for each name."""
    return feed.Changes(
        added=[
            Added(17_841_400_000_000_000 + n, name, (1 << 61) - n, True, kind)
            for n, name in enumerate(listed)
        ]
    )


def digest_agrees(account) -> bool:
    settings = SyncSettings.objects.get(pk=account.pk)
    held = store.recount(account.pk, bytes(settings.digest_key))
    return held == (settings.followers_count, settings.digest)


@pytest.fixture
def edged(alice, settings):
    """Alice's proven account, whose app has a list endpoint; the edge's baseline stands."""
    settings.INSTAGRAM_FOLLOWERS_EDGE = "followers"
    account = LinkedAccountFactory(owner=alice, username="alice.there")
    consent(account, Scope.PROFILE, Scope.FOLLOWERS)
    settings_of(account)
    from followersync.models import SyncRun

    SyncRun.objects.all().delete()
    return account


def edge_looks(account, listed: list[str], at: datetime) -> None:
    """The edge's complete baseline at a moment."""
    feed.apply(account.pk, shown_by_edge(listed))
    SyncSettings.objects.filter(pk=account.pk).update(complete=True, baseline_at=at)
    FollowerSnapshot.objects.create(
        account_id=account.pk, at=at, mode=Mode.FULL, position=0, followers=len(listed)
    )


def test_people_known_by_name_get_their_ids_and_keep_their_dates(kept, bring):
    listed = people()
    bring(kept, export(listed))

    feed.apply(kept.pk, shown_by_edge(list(listed)))

    rows = Follower.objects.filter(account_id=kept.pk)
    assert rows.filter(key__lt=0).count() == 0
    assert {r.username: int(r.since.timestamp()) for r in rows if r.since} == listed
    changes = selectors.changes_page(kept, after=0).rows
    assert {row.kind for row in changes} == {"identified"}
    assert all((row.previous_public_id or "").startswith("u_") for row in changes)
    assert digest_agrees(kept)


def test_the_past_of_somebody_identified_comes_along(kept, bring):
    listed = people()
    bring(kept, export(listed))
    gone = sorted(listed, key=listed.__getitem__)[30]
    without = {n: s for n, s in listed.items() if n != gone}
    bring(kept, export(without, days=1))
    again = int(datetime(2026, 8, 4, tzinfo=UTC).timestamp())
    bring(kept, export(without | {gone: again}, days=5))

    feed.apply(kept.pk, shown_by_edge([gone]))

    assert PastFollow.objects.get(account_id=kept.pk).key == 17_841_400_000_000_000


def test_somebody_new_is_not_taken_for_one_who_has_followed_for_years(kept, bring):
    listed = people() | {"old.name": 1_400_000_000}
    bring(kept, export(listed))

    feed.apply(kept.pk, shown_by_edge(["old.name"], AddedKind.GAINED))

    keys = Follower.objects.filter(account_id=kept.pk, username="old.name").values_list("key")
    assert len(keys) == 2
    assert digest_agrees(kept)


def test_two_rows_of_one_person_become_one_when_the_edge_tells_their_new_name(kept, bring):
    bring(kept, export(people() | {"new.name": START - 50}))
    feed.apply(kept.pk, shown_by_edge(["old.name"]))
    key = 17_841_400_000_000_000

    feed.apply(kept.pk, feed.Changes(renamed=[Renamed(key, "old.name", "new.name")]))

    row = Follower.objects.get(account_id=kept.pk, username="new.name")
    assert row.key == key
    assert row.since == datetime.fromtimestamp(START - 50, UTC)
    assert digest_agrees(kept)


@pytest.mark.slow
def test_an_archive_dates_those_whom_the_edge_lists_and_loses_none_of_them(edged, bring):
    listed = people()
    at = datetime(2026, 7, 30, tzinfo=UTC)
    edge_looks(edged, list(listed), at)
    missing = sorted(listed, key=listed.__getitem__)[30]

    for day in range(30):
        run = bring(edged, export({n: s for n, s in listed.items() if n != missing}, days=day))
        assert (run.state, run.lost, run.gained, run.found) == ("succeeded", 0, 0, 0)

    assert names(edged) == set(listed)
    dated = Follower.objects.filter(account_id=edged.pk, since__isnull=False)
    assert {r.username: int(r.since.timestamp()) for r in dated if r.since} == {
        n: s for n, s in listed.items() if n != missing
    }
    kinds = {row.kind for row in selectors.changes_page(edged, after=0).rows}
    assert kinds == {"redated"}


def test_what_the_edge_saw_after_the_export_wins(edged, bring):
    listed = people()
    edge_looks(edged, list(listed), datetime(2026, 8, 10, tzinfo=UTC))

    run = bring(
        edged,
        export(listed | {"left.since": START - 77}),
        at=datetime(2026, 8, 11, tzinfo=UTC),
    )

    assert (run.gained, run.found, run.lost, run.renamed) == (0, 0, 0, 0)
    assert names(edged) == set(listed)


def test_an_archive_newer_than_the_edge_brings_who_came_since(edged, bring):
    listed = people()
    edge_looks(edged, list(listed), datetime(2026, 8, 1, 7, tzinfo=UTC))
    came = int(datetime(2026, 8, 3, tzinfo=UTC).timestamp())

    run = bring(edged, export(listed | {"just.came": came}, days=4))

    assert run.gained == 1
    assert "just.came" in names(edged)


def test_who_asked_to_be_kept_out_is_in_no_import_and_costs_nobody_their_place(kept, bring):
    listed = people()
    bring(kept, export(listed))
    suppression.suppress_proven(instagram_id="17841400000000001", username="shy.one", language="en")
    old = sorted(listed, key=listed.__getitem__)[20]
    later = {n: s for n, s in listed.items() if n != old} | {"shy.one": listed[old]}

    run = bring(kept, export(later, days=1))

    assert (run.gained, run.renamed, run.lost) == (0, 0, 0)
    assert names(kept) == set(listed)


EDGE_AT = datetime(2026, 8, 10, 6, tzinfo=UTC)


def missed_by_edge(account, name: str, *, hours_ago: float, at: datetime) -> Absence:
    """The edge's one witnessed look that did not show somebody."""
    moment = at - timedelta(hours=hours_ago)
    key = Follower.objects.get(account_id=account.pk, username=name).key
    return Absence.objects.create(
        account_id=account.pk,
        key=key,
        unconfirmed_since=moment,
        looks=1,
        witnessed=1,
        last_at=moment,
    )


def export_after(listed: dict[str, int], came: datetime) -> Export:
    """An export that was certainly made after `came`: it lists somebody who follows since then."""
    whole = listed | {"newest.one": int(came.timestamp())}
    following = {f"friend{n}": START - n * 86_400 for n in range(12)}
    return Export(whole, following=following, day=came.date())


def test_an_export_is_the_second_look_at_whom_the_edge_has_missed(edged, bring):
    listed = people()
    gone = sorted(listed, key=listed.__getitem__)[30]
    edge_looks(edged, list(listed), EDGE_AT)
    missed_by_edge(edged, gone, hours_ago=0, at=EDGE_AT)
    left = {n: s for n, s in listed.items() if n != gone}

    soon = bring(edged, export_after(left, EDGE_AT + timedelta(hours=5)))
    late = bring(edged, export_after(left, EDGE_AT + timedelta(hours=6)))

    assert (soon.lost, late.lost) == (0, 1)
    assert gone not in names(edged)
    assert not Absence.objects.exists()
    assert digest_agrees(edged)


def test_an_export_is_a_first_witnessed_look_for_the_edge(edged, bring):
    listed = people()
    gone = sorted(listed, key=listed.__getitem__)[30]
    edge_looks(edged, list(listed), EDGE_AT)
    left = {n: s for n, s in listed.items() if n != gone}

    run = bring(edged, export_after(left, EDGE_AT + timedelta(hours=1)))

    absence = Absence.objects.get()
    assert run.lost == 0
    assert (absence.looks, absence.witnessed) == (1, 1)
    assert EDGE_AT + timedelta(hours=1) <= absence.last_at <= run.finished_at


def test_an_export_that_shows_somebody_ends_the_edges_doubt_if_it_is_newer(edged, bring):
    listed = people()
    name = sorted(listed, key=listed.__getitem__)[30]
    edge_looks(edged, list(listed), EDGE_AT)
    missed_by_edge(edged, name, hours_ago=0, at=EDGE_AT)

    bring(edged, export_after(listed, EDGE_AT - timedelta(hours=3)))
    assert Absence.objects.count() == 1
    bring(edged, export_after(listed, EDGE_AT + timedelta(hours=1)))
    assert not Absence.objects.exists()


def test_an_export_made_before_the_edge_looked_makes_nobody_unconfirmed(edged, bring):
    listed = people()
    gone = sorted(listed, key=listed.__getitem__)[30]
    edge_looks(edged, list(listed), EDGE_AT)
    left = {n: s for n, s in listed.items() if n != gone}

    for hours in (20, 10):
        run = bring(edged, export_after(left, EDGE_AT - timedelta(hours=hours)), at=EDGE_AT)
        assert run.lost == 0

    assert not Absence.objects.exists()


def test_somebody_without_a_date_may_be_any_unknown_old_name_and_is_never_lost(edged, bring):
    """Of whom the edge lists, nobody knows since when they follow: a new name may be theirs."""
    listed = people()
    gone = sorted(listed, key=listed.__getitem__)[30]
    edge_looks(edged, list(listed), EDGE_AT)
    renamed = {("renamed.now" if n == gone else n): s for n, s in listed.items()}

    for day in range(1, 5):
        run = bring(edged, export_after(renamed, EDGE_AT + timedelta(days=day)))
        assert run.lost == 0

    assert gone in names(edged)
    assert Absence.objects.get().witnessed == 0
