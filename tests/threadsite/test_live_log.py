"""The demo tells each sync in one line, whatever the member allows."""

from __future__ import annotations

import pytest

from accounts.models import LinkedAccount
from accounts.scopes import Scope
from followersync.models import SyncRun, SyncSettings
from tests.support.factories import consent
from threadsite.demo import live_log

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("scope", "told"),
    [(Scope.PROFILE, "Instagram counts 1,204"), (Scope.FOLLOWERS, "no list yet")],
)
def test_a_sync_that_brought_no_list_is_told_without_one(
    account: LinkedAccount, scope: Scope, told: str
) -> None:
    consent(account, scope)
    SyncSettings.objects.filter(pk=account.pk).update(reported=1204)
    run = SyncRun.objects.get(account=account)
    run.state, run.mode, run.calls = SyncRun.State.SUCCEEDED, "count", 1

    assert live_log.sentence(run) == f"@alice.ig: {told} · no change · count, 1 call"
