"""Alice's account that is kept by archives alone, and the ways to bring archives in."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from followersync import selectors
from followersync.models import SyncRun
from followersync.services.imports import requests
from tests.support.clock import Clock
from tests.support.exports import Export
from tests.support.factories import LinkedAccountFactory, consent

Import = Callable[..., SyncRun]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings) -> None:
    settings.THREADSITE_HOME = tmp_path


@pytest.fixture
def kept(alice: User) -> LinkedAccount:
    """Linked by its archives alone, followers allowed."""
    account: LinkedAccount = LinkedAccountFactory(
        owner=alice, kind="archive", username="alice.there"
    )
    consent(account, Scope.PROFILE, Scope.FOLLOWERS)
    return account


@pytest.fixture
def bring(clock: Clock, django_capture_on_commit_callbacks) -> Import:
    """Import an export at noon of its day (or at `at`); answers the closed run."""

    def bring(account: LinkedAccount, export: Export, *, at: datetime | None = None, **how):
        clock.moment = at or datetime.combine(export.day, datetime.min.time(), UTC).replace(hour=12)
        run = requests.request_import(
            account=account,
            uploaded_file=io.BytesIO(export.zip()),
            channel="web",
            file_name=how.pop("file_name", export.name),
            **how,
        )
        requests.advance(run.pk)
        run.refresh_from_db()
        return run

    return bring


def names(account: LinkedAccount) -> set[str]:
    """Everybody in the list now."""
    found, cursor = set(), None
    while True:
        page = selectors.followers_page(account, cursor=cursor, limit=1000)
        found |= {row.username for row in page.rows}
        cursor = page.next
        if cursor is None:
            return found
