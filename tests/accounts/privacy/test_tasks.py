"""What stands open is rung for again, so that a lost bell makes nobody wait for ever."""

from __future__ import annotations

import pytest

from accounts import tasks
from accounts.models import DataExport, DeletionRequest
from accounts.services import erasure, export, suppression

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home_of_this_test(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path


def test_the_queue_erases_what_a_member_asked_for(account, work_off):
    done = work_off(
        lambda: erasure.request_account_erasure(account=account, channel="web"),
        "accounts.tasks.run_deletion",
    )

    assert done == 1
    assert DeletionRequest.objects.get().state == "completed"


def test_the_queue_makes_the_copy(alice, work_off):
    work_off(lambda: export.request_export(owner=alice), "accounts.tasks.run_export")

    assert DataExport.objects.get().state == "ready"


def test_a_lost_task_is_enqueued_again_each_minute(account, alice, work_off):
    erasure.request_account_erasure(account=account, channel="web")
    suppression.suppress_proven(instagram_id="17", username="some.body", language="en")
    export.request_export(owner=alice)

    assert tasks.privacy_tick() == 3


def test_nothing_open_rings_nothing(account):
    assert tasks.privacy_tick() == 0
