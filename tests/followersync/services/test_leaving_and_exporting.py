from __future__ import annotations

from itertools import islice

import pytest
from django.db import connection

from accounts import registry
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from followersync import selectors, store
from followersync.domain.values import AddedKind
from followersync.errors import FeedGone
from followersync.models import SyncSettings
from followersync.services import call_budget
from tests.support.clock import Clock
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, sync_when_due, write


@pytest.fixture
def lived(sandbox: Sandbox, alice: User, clock: Clock) -> LinkedAccount:
    """An account with rows of every kind."""
    account = connect(sandbox, alice, "bob")
    sync_when_due(account, clock, syncs=2)
    write(account, people=[(900, "came")], kind=AddedKind.GAINED)
    write(account, lost=[900])
    return account


def rows_of(account_id: int) -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for table in store.ERASABLE:
            cursor.execute(
                f"SELECT count(*) FROM followersync_{table} WHERE account_id = %s", [account_id]
            )
            found[table] = cursor.fetchone()[0]
    return {table: count for table, count in found.items() if count}


def drain(erase: registry.Eraser, account_id: int) -> None:
    for _ in range(100):
        if not erase(account_id, 100):
            return
    raise AssertionError("an eraser that never ends")


def test_with_the_account_every_row_of_it_goes_and_no_other_accounts(
    lived: LinkedAccount, sandbox: Sandbox, bob: User, clock: Clock
) -> None:
    bobs = connect(sandbox, bob, "cleo")
    sync_when_due(bobs, clock, syncs=1)
    before = rows_of(bobs.pk)
    assert "follower" in rows_of(lived.pk)

    for erase in registry.erasers().values():
        drain(erase, lived.pk)

    assert rows_of(lived.pk) == {}
    assert call_budget.erase(lived.pk, 10) == 0
    assert rows_of(bobs.pk) == before


def test_with_the_consent_all_that_it_paid_for_goes_and_the_interval_stays(
    lived: LinkedAccount,
) -> None:
    SyncSettings.objects.filter(pk=lived.pk).update(interval_minutes=77)
    page = selectors.changes_page(lived, after=0)

    for erase in registry.scope_erasers(Scope.FOLLOWERS).values():
        drain(erase, lived.pk)

    assert rows_of(lived.pk) == {"syncsettings": 1}
    overview = selectors.overview(lived)
    assert (overview.followers, overview.interval_minutes) == (None, 77)
    with pytest.raises(FeedGone):
        selectors.changes_page(lived, after=page.head)


def test_an_export_holds_the_list_its_past_and_its_changes(lived: LinkedAccount) -> None:
    rows = {name: list(islice(rows(lived), 1000)) for name, rows in registry.exporters().items()}

    assert len(rows["followers"]) == 300
    assert [row["username"] for row in rows["past_follows"]] == ["came"]
    assert [row["kind"] for row in rows["changes"]] == ["gained", "lost"]
    assert rows["snapshots"]
    assert rows["sync_runs"]
    assert "digest_key" not in rows["sync_settings"][0]
