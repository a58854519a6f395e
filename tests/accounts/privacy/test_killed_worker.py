"""A worker killed by the operating system, three times, in the middle of a large erasure."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as site
from django.db import connection

from accounts import clock
from accounts.models import DeletionRequest, LinkedAccount
from accounts.services import erasure, receipts
from followersync.models import Follower
from tests.support import leaving, residue

ROOT = Path(__file__).resolve().parents[3]
ROWS = 60_000
WORKER = """
import django; django.setup()
from accounts.services import erasure
import sys
erasure.advance(int(sys.argv[1]), batch=500, max_seconds=100)
"""


def worker(deletion: DeletionRequest) -> subprocess.Popen[bytes]:
    """Another process that works on the erasure, against this test's database."""
    given = connection.get_connection_params()
    port = f"&port={given['port']}" if given.get("port") else ""
    address = (
        f"postgresql://{given.get('user', '')}:{given.get('password', '')}"
        f"@/{given['dbname']}?host={given.get('host', '')}{port}"
    )
    environment = os.environ | {
        "DATABASE_URL": address,
        "SECRET_KEY": site.SECRET_KEY,
        "THREADSITE_HOME": str(site.THREADSITE_HOME),
    }
    command = [sys.executable, "-c", WORKER, str(deletion.pk)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def left(account: LinkedAccount) -> int:
    return Follower.objects.filter(account_id=account.pk).count()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_three_kills_lose_nothing_and_count_nothing_twice(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path
    canary = leaving.canary(followers=ROWS)
    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")

    for _kill in range(3):
        before = left(canary.account)
        process = worker(deletion)
        deadline = time.monotonic() + 60
        while left(canary.account) > before - 2_000:
            assert time.monotonic() < deadline, "the worker does nothing"
            assert process.poll() is None, "the worker was quicker than the kill"
        process.kill()
        process.wait()
        assert 0 < left(canary.account) < before
        # As if the dead worker's lease had run out.
        DeletionRequest.objects.update(claimed_until=clock.now() - timedelta(seconds=1))
    while erasure.advance(deletion.pk):
        pass

    deletion.refresh_from_db()
    assert deletion.state == "completed"
    assert deletion.attempts == 4
    assert deletion.erased["followers"] == ROWS
    assert receipts.verify(deletion.receipt, receipts.public_keys())
    assert residue.hits(canary.words) == []
