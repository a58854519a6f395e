"""Staff see at a glance what is well and what wants a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import StaffView
from followersync.models import SyncRun, SyncSettings
from followersync.services.sync.runs import request_sync
from tests.support.api import counting_queries
from tests.support.sync import linked, without_runs

pytestmark = pytest.mark.django_db

OVERVIEW = "/admin/overview/"


@pytest.fixture
def as_stella(client, stella):
    client.force_login(stella, backend="django.contrib.auth.backends.ModelBackend")
    return client


def fail(account, clock, code: str) -> None:
    run = request_sync(account=account, trigger="schedule")
    SyncRun.objects.filter(pk=run.pk).update(state="failed", finished_at=clock(), error_code=code)
    SyncSettings.objects.filter(pk=account.pk).update(failures=4)


def test_what_is_overdue_or_failing_is_named(as_stella, alice, followed, clock):
    SyncSettings.objects.filter(pk=followed.pk).update(next_due_at=clock() - timedelta(hours=2))
    broken = without_runs(linked(alice, username="broken.ig"))
    SyncSettings.objects.filter(pk=broken.pk).update(next_due_at=None)
    fail(broken, clock, "wrong_shape")

    response = as_stella.get(OVERVIEW)

    assert response.status_code == 200
    assert [account.username for account in response.context["overdue"]] == ["alice.ig"]
    assert [(a.username, a.last_error) for a in response.context["failing"]] == [
        ("broken.ig", "wrong_shape")
    ]
    assert response.context["accounts"]["active"] == 2
    assert "none yet: does the queue run?" in response.content.decode()


def test_it_costs_the_same_however_many_accounts_there_are(as_stella, alice, followed, clock):
    fail(followed, clock, "wrong_shape")
    with counting_queries() as few:
        as_stella.get(OVERVIEW)
    for number in range(5):
        fail(without_runs(linked(alice, username=f"more{number}")), clock, "wrong_shape")

    with counting_queries() as many:
        as_stella.get(OVERVIEW)

    assert len(many) <= len(few)


def test_the_look_is_noted(as_stella, stella):
    as_stella.get(OVERVIEW)

    assert StaffView.objects.get().what == "overview"


def test_the_admin_links_to_it(as_stella):
    assert OVERVIEW in as_stella.get(reverse("admin:index")).content.decode()


def test_members_and_staff_without_rights_do_not_see_it(client, bob):
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(OVERVIEW).status_code == 302

    bob.is_staff = True
    bob.save()

    assert client.get(OVERVIEW).status_code == 403
