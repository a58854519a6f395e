"""Whoever leaves in the very moment in which a worker commits must be let go, not refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import clock
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import consent, erasure, linking
from followersync.models import FullScan, SyncRun
from followersync.services.sync import lease, runs
from followersync.services.sync.lease import Lease

pytestmark = pytest.mark.django_db(transaction=True)

WAYS_OUT: dict[str, Callable[[LinkedAccount], Any]] = {
    "pause": lambda account: linking.pause(account=account, actor=account.owner),
    "withdraw": lambda account: consent.withdraw(
        account=account, scope=Scope.FOLLOWERS, channel="web", actor=account.owner
    ),
    "unlink": lambda account: linking.unlink(
        account=account, erase="now", channel="web", actor=account.owner
    ),
    "erase": lambda account: erasure.request_account_erasure(account=account, channel="web"),
    "everything": lambda account: erasure.request_full_erasure(owner=account.owner, channel="web"),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_member_who_leaves_while_a_worker_commits_is_not_refused(
    way: str, alice: User, followed: LinkedAccount
) -> None:
    run = runs.request_sync(account=followed, trigger="member")
    held = lease.take(run.pk)
    assert held is not None
    left: list[Any] = []
    leaving = threading.Thread(target=_leave, args=(WAYS_OUT[way], followed, left))
    with transaction.atomic():
        lease.commit(held)
        leaving.start()
        _wait_until_it_waits_for(held)
        # At the commit PostgreSQL checks that the account of this row is there.
        FullScan.objects.create(account=followed, started_at=clock.now())
    leaving.join(timeout=30)

    assert left == ["let go"]
    run.refresh_from_db()
    assert run.state == SyncRun.State.CANCELLED


def _leave(way: Callable[[LinkedAccount], Any], account: LinkedAccount, left: list[Any]) -> None:
    try:
        way(account)
        left.append("let go")
    except Exception as error:
        left.append(error)
    finally:
        connection.close()


def _wait_until_it_waits_for(held: Lease) -> None:
    """Until another connection stands before a lock that this one holds."""
    waiting = (
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    for _try in range(3000):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
    raise AssertionError(f"nobody waits for run {held.run_id}")
