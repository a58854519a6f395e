"""A member is asked, stored and shown exactly what they allowed: scopes by calls by tables.

Were one of these to fail, somebody's data would be read, kept or shown without their word, or a
consent would be asked for that means nothing.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from django.db import connection

from accounts import consent_coverage
from accounts.models import User
from accounts.scopes import Scope
from followersync import selectors
from followersync.models import DailyTotal, FollowerSnapshot, SyncRun, SyncSettings
from followersync.services import insights
from followersync.services.personal_data.consent_coverage import COUNT
from followersync.services.sync.runs import request_sync
from tests.support import lanes
from tests.support.clock import Clock
from tests.support.coverage import Life, account_tables, covers, not_covered
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db

PRIVACY = Path(__file__).parents[3] / "docs" / "privacy.md"
EVERY = frozenset(Scope)
CHOICES = [frozenset(chosen) for size in range(5) for chosen in combinations(Scope, size)]
#: Made only at events that no consent is about: a token's age, leaving.
NOT_EVERY_DAY = {"permissions", "refresh"}
LAST_COUNT = {("followersync_syncsettings", "reported"), ("followersync_syncsettings", "memory")}
KEPT_COUNT = {
    ("followersync_syncsettings", "reported"),
    ("followersync_followersnapshot", "reported"),
}


def named(scopes: frozenset[Scope]) -> str:
    return "+".join(sorted(scopes)) or "none"


@pytest.fixture
def life(sandbox: Sandbox, clock: Clock, alice: User, tmp_path: Path, settings) -> Life:
    settings.THREADSITE_HOME = tmp_path
    return Life(sandbox, clock, alice)


def lived(life: Life, scopes: frozenset[Scope]) -> Life:
    life.allow(scopes)
    life.pass_days()
    assert life.bring_archive() is (Scope.FOLLOWERS in scopes)
    life.pass_days(1)
    return life


@pytest.mark.parametrize("scopes", lanes.one_in(15, CHOICES), ids=named)
def test_each_choice_of_consents_asks_stores_and_shows_what_it_covers_and_no_more(
    life: Life, scopes: frozenset[Scope]
) -> None:
    lived(life, scopes)

    bases = [consent_coverage.LINKING, *scopes]
    covered = [consent_coverage.declared[basis] for basis in bases]
    assert life.calls == set().union(*(each.calls for each in covered)) - NOT_EVERY_DAY
    assert not_covered(life, bases) == set()
    assert life.shows == set().union(*(each.shows for each in covered)) - LINKED


LINKED = consent_coverage.declared[consent_coverage.LINKING].shows


@pytest.mark.parametrize("scope", list(Scope))
def test_no_consent_is_asked_for_that_gates_nothing(scope: Scope) -> None:
    covered = consent_coverage.declared[scope]
    others = [
        consent_coverage.declared[basis] for basis in (consent_coverage.LINKING, *EVERY - {scope})
    ]
    calls = covered.calls.difference(*(each.calls for each in others))
    shows = covered.shows.difference(*(each.shows for each in others))
    columns = [
        (table, column)
        for table, column in _columns()
        if covers(covered, table, column)
        and not any(covers(each, table, column) for each in others)
    ]

    assert shows
    assert bool(calls or columns) is (scope is not Scope.DISCOVERABLE)


def test_a_column_that_nobody_declared_is_named() -> None:
    declared = consent_coverage.declared.values()

    assert [
        (table, column)
        for table, column in _columns()
        if not any(covers(each, table, column) for each in declared)
    ] == []
    assert {table for each in declared for table in each.tables} == {
        table for table, _column in _columns()
    }


def _columns() -> list[tuple[str, str]]:
    """Every column of every table that holds rows of an account, by the database's catalogue."""
    tables = [table for table, _where in account_tables()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ANY(%s)",
            [tables],
        )
        return cursor.fetchall()


def test_the_table_for_the_data_protection_officer_is_the_declaration() -> None:
    lines = ["| on what | requests to Instagram | stored | shown |", "|---|---|---|---|"]
    for basis, covered in consent_coverage.declared.items():
        calls = "; ".join(f"`{call}`" for call in sorted(covered.calls))
        tables = "; ".join(f"{name}: {cols}" for name, cols in sorted(covered.tables.items()))
        shows = "; ".join(sorted(covered.shows))
        lines.append(f"| `{basis}` | {calls or '-'} | {tables or '-'} | {shows or '-'} |")
    assert "\n".join(lines) in PRIVACY.read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_the_consent_to_it_the_count_only_checks_the_list(life: Life) -> None:
    lived(life, frozenset({Scope.FOLLOWERS}))

    assert life.places_of_the_count == LAST_COUNT
    assert life.count_shown_in() == set()


@pytest.mark.slow
def test_the_count_alone_is_read_kept_and_shown_and_no_list_is_asked_for(life: Life) -> None:
    lived(life, frozenset({Scope.PROFILE}))

    snapshots = FollowerSnapshot.objects.filter(account=life.account)
    assert {run.mode for run in SyncRun.objects.filter(account=life.account)} == {"count"}
    assert len(set(snapshots.values_list("reported", flat=True))) > 1
    assert set(snapshots.values_list("followers", flat=True)) == {None}
    assert life.places_of_the_count == KEPT_COUNT
    assert life.count_shown_in() == {
        "page", "api ", "api accounts", "api snapshots/", "api growth/", "admin", "copy"
    }  # fmt: skip


@pytest.mark.parametrize("scope", lanes.first(Scope))
def test_a_withdrawal_erases_what_the_consent_paid_for_and_ends_its_calls(
    life: Life, scope: Scope
) -> None:
    lived(life, EVERY)
    life.withdraw(scope)
    life.erase()
    life.sandbox.clear_requests()

    life.pass_days(2)

    left = [consent_coverage.LINKING, *EVERY - {scope}]
    assert not_covered(life, left) == set()
    assert life.calls <= set().union(*(consent_coverage.declared[basis].calls for basis in left))
    assert (
        life.shows
        == set().union(*(consent_coverage.declared[basis].shows for basis in left)) - LINKED
    )


@pytest.mark.slow
@pytest.mark.parametrize("scope", list(Scope))
def test_what_is_kept_after_a_withdrawal_is_neither_read_on_nor_shown(
    life: Life, scope: Scope
) -> None:
    lived(life, EVERY)
    before = life.columns
    life.withdraw(scope, keep_data=True)
    life.sandbox.clear_requests()

    life.pass_days(2)

    left = [consent_coverage.LINKING, *EVERY - {scope}]
    gone = before - life.columns
    assert {table for table, _column in gone} <= {
        "accounts_linkedaccount",
        "followersync_insightsreading",
        "followersync_absence",
    }
    assert life.calls <= set().union(*(consent_coverage.declared[basis].calls for basis in left))
    if scope is not Scope.FOLLOWERS:  # a kept list is shown to its member as of its day
        assert consent_coverage.declared[scope].shows & life.shows == set()
    if scope is Scope.PROFILE:  # whoever keeps something is told so in their copy
        assert life.count_shown_in() == {"copy"}


@pytest.mark.slow
def test_the_counts_stay_when_only_the_list_is_withdrawn(life: Life) -> None:
    lived(life, frozenset({Scope.FOLLOWERS, Scope.PROFILE}))
    snapshots = FollowerSnapshot.objects.filter(account=life.account)
    counts = list(snapshots.order_by("at").values_list("at", "reported"))

    life.withdraw(Scope.FOLLOWERS)
    life.erase()

    assert list(snapshots.order_by("at").values_list("at", "reported")) == counts
    assert set(snapshots.values_list("mode", "followers", "digest")) == {("count", None, "")}
    life.work()
    assert SyncSettings.objects.get(pk=life.account.pk).next_due_at is not None
    assert snapshots.count() == len(counts) + 1


@pytest.mark.slow
def test_a_list_that_is_allowed_while_only_the_count_is_read_follows_at_once(life: Life) -> None:
    life.allow([Scope.PROFILE])
    run = SyncRun.objects.get(account=life.account)

    life.allow([Scope.FOLLOWERS])
    life.work()

    run.refresh_from_db()
    assert SyncSettings.objects.get(pk=life.account.pk).followers_count == 120


def test_without_any_consent_nothing_is_due_and_nothing_dispatched(life: Life) -> None:
    life.allow(EVERY)
    life.work()
    for scope in EVERY:
        life.withdraw(scope, keep_data=True)
    life.clock.advance(days=3)

    # As if a row had been left due by a process that died.
    SyncSettings.objects.filter(pk=life.account.pk).update(next_due_at=life.clock())
    life.sandbox.clear_requests()
    runs = SyncRun.objects.filter(account=life.account).count()
    life.work()

    assert SyncSettings.objects.get(pk=life.account.pk).next_due_at is None
    assert SyncRun.objects.filter(account=life.account).count() == runs
    assert insights.tick() == 0
    assert life.calls == set()


@pytest.mark.slow
@pytest.mark.parametrize("kept", [False, True])
def test_where_no_list_is_offered_the_count_checks_imports_and_is_kept_by_its_own_consent(
    life: Life, settings, kept: bool
) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = ""

    lived(life, frozenset({Scope.FOLLOWERS, *([Scope.PROFILE] if kept else [])}))

    assert ("followersync_syncsettings", "reported") in life.places_of_the_count
    in_snapshots = ("followersync_followersnapshot", "reported") in life.places_of_the_count
    counted = FollowerSnapshot.objects.filter(account=life.account, mode="count").exists()
    assert (in_snapshots, counted, bool(life.count_shown_in())) == (kept, kept, kept)


@pytest.mark.slow
def test_a_run_that_waits_has_written_the_count_nowhere_but_into_the_rules_memory(
    life: Life,
) -> None:
    life.sandbox.script(
        [{"error": "2_transient"}], account=life.account.instagram_id, route="followers"
    )
    life.allow([Scope.FOLLOWERS])

    life.work()

    run = SyncRun.objects.get(account=life.account)
    assert (run.state, set(run.progress)) == ("waiting", {"seen", "page"})
    assert life.places_of_the_count == {("followersync_syncsettings", "memory")}


@pytest.mark.slow
def test_a_kept_count_is_not_put_to_another_use(life: Life) -> None:
    lived(life, EVERY)
    life.withdraw(Scope.PROFILE, keep_data=True)
    DailyTotal.objects.filter(account=life.account).delete()
    life.sandbox.clear_requests()

    insights.read(life.account.pk)

    assert DailyTotal.objects.filter(account=life.account, followers__isnull=False).count() == 1
    assert COUNT in life.calls


@pytest.mark.slow
def test_of_how_many_an_open_run_has_read_is_told_with_the_consent_to_the_count_alone(
    life: Life,
) -> None:
    lived(life, EVERY)
    run = request_sync(account=life.account, trigger="member")

    reported = selectors.overview(life.account).reported
    assert reported is not None
    assert selectors.expected(life.account.pk) == reported
    assert selectors.overview(life.account).expected == reported

    life.withdraw(Scope.PROFILE)

    assert selectors.expected(life.account.pk) is None
    assert selectors.overview(life.account).expected is None
    assert selectors.overview(life.account).reported is None
    assert run.progress == {}


@pytest.mark.slow
def test_the_count_is_asked_alone(life: Life) -> None:
    lived(life, EVERY)

    assert {call for call in life.calls if call.startswith("me ")} == {
        "me id,user_id,username", COUNT,
    }  # fmt: skip
