"""Accounts that may be synced, and what a test asks of their lists."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pytest_django import Settings

from accounts.instagram import gateway
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import linking
from followersync import selectors, store
from followersync.domain.values import Added, AddedKind, Moved, Renamed
from followersync.models import Follower, FollowerChange, SyncRun, SyncSettings
from followersync.services.sync import feed
from followersync.services.sync import runs as sync
from followersync.services.sync.settings import settings_of
from tests.support.clock import Clock
from tests.support.factories import AccessTokenFactory, LinkedAccountFactory, consent
from tests.support.sandbox import REDIRECT_URI, Sandbox

FIRST_PLACE = 1 << 61


@pytest.fixture
def edge(settings: Settings) -> None:
    """The app has a list endpoint."""
    settings.INSTAGRAM_FOLLOWERS_EDGE = "followers"


def linked(owner: User, **fields: object) -> LinkedAccount:
    """An account of `owner` with a token and the consent to sync its followers."""
    account: LinkedAccount = LinkedAccountFactory(owner=owner, **fields)
    AccessTokenFactory(account=account)
    consent(account, Scope.FOLLOWERS)
    settings_of(account)
    return account


def without_runs(account: LinkedAccount) -> LinkedAccount:
    """Drop what consent has rung for: the test opens its own runs."""
    SyncRun.objects.filter(account=account).delete()
    return account


@pytest.fixture
def followed(alice: User, edge: None) -> LinkedAccount:
    """Alice's account, ready to sync, with no run open."""
    return without_runs(linked(alice, username="alice.ig"))


def connect(sandbox: Sandbox, owner: User, persona: str) -> LinkedAccount:
    """Link a persona as its owner would, with consent to its followers; no run is open."""
    instagram = gateway.from_settings()
    short = instagram.exchange_code(sandbox.code(persona), REDIRECT_URI)
    token = instagram.long_lived(short.access_token)
    account = linking.link_from_oauth(
        owner=owner,
        profile=instagram.me(token.access_token),
        token=token,
        permissions=short.permissions or frozenset({"instagram_business_basic"}),
    )
    consent(account, Scope.FOLLOWERS)
    return without_runs(account)


def truth(sandbox: Sandbox, account: LinkedAccount) -> set[tuple[int, str]]:
    """Who follows at Instagram, by id and name."""
    rows = sandbox.true_list(account.instagram_id or "")
    return {(int(row["id"]), row["username"]) for row in rows}


def sync_when_due(account: LinkedAccount, clock: Clock, *, syncs: int) -> list[SyncRun]:
    """Let time pass and the account sync `syncs` times as it falls due, waits included."""
    runs: list[SyncRun] = []
    while len(runs) < syncs:
        run = run_to_end(account)
        while run.state == SyncRun.State.WAITING:
            assert run.not_before is not None
            clock.moment = max(clock.moment, run.not_before)
            run = run_to_end(account)
        runs.append(run)
        due = SyncSettings.objects.get(pk=account.pk).next_due_at
        assert due is not None, run.error_code
        clock.moment = max(clock.moment, due)
    return runs


def kinds(account: LinkedAccount) -> dict[str, list[int]]:
    """The keys of each kind of change, in the order of the feed."""
    found: dict[str, list[int]] = {}
    for change in FollowerChange.objects.filter(account_id=account.pk).order_by("position"):
        found.setdefault(change.kind, []).append(change.key)
    return found


def write(
    account: LinkedAccount,
    *,
    people: Sequence[tuple[int, str]] = (),
    kind: AddedKind = AddedKind.BASELINE,
    renamed: Sequence[tuple[int, str, str]] = (),
    lost: Sequence[int] = (),
) -> feed.Counts:
    """Change the list through the product's own writer; `people` newest first."""
    top = FIRST_PLACE + Follower.objects.filter(account_id=account.pk).count() + len(people)
    changes = feed.Changes(
        added=[
            Added(key, name, top - index, True, kind) for index, (key, name) in enumerate(people)
        ],
        renamed=[Renamed(key, old, new) for key, old, new in renamed],
        moved=dict[int, Moved](),
        lost=list(lost),
    )
    return feed.apply(account.pk, changes)


def held(account: LinkedAccount) -> set[tuple[int, str]]:
    """Who follows here, by id and name."""
    rows = Follower.objects.filter(account_id=account.pk)
    return set(rows.values_list("key", "username"))


def run_to_end(account: LinkedAccount, trigger: str = "schedule") -> SyncRun:
    """Open a run, or take the open one, and advance it until it is closed or waits."""
    run = SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN).first()
    run = run or sync.request_sync(account=account, trigger=trigger)
    while sync.advance(run.pk):
        pass
    run.refresh_from_db()
    return run


def assert_books_agree(account: LinkedAccount) -> None:
    """The running count and digest equal the rows, and the feed has no gap."""
    settings = SyncSettings.objects.get(pk=account.pk)
    assert store.recount(account.pk, bytes(settings.digest_key)) == (
        settings.followers_count,
        settings.digest,
    )
    positions = FollowerChange.objects.filter(account_id=account.pk).order_by("position")
    assert list(positions.values_list("position", flat=True)) == list(range(1, settings.head + 1))


def replay(
    account: LinkedAccount, copy: dict[str, str], after: int, epoch: str | None = None
) -> dict[str, str]:
    """What a program's copy of the list becomes by the feed from `after` on. Raises FeedGone."""
    while True:
        page = selectors.changes_page(account, after=after, limit=50, epoch=epoch)
        for change in page.rows:
            if change.kind == "lost":
                copy.pop(change.public_id, None)
            else:
                copy[change.public_id] = change.username
        if page.next_after == after:
            return copy
        after = page.next_after
