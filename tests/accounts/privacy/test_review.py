"""Staff decide on requests of non-members in the admin, by the same rules as everywhere."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import DeletionRequest, PrivacyRequest, SuppressedPerson, User
from accounts.services import erasure, suppression

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of_somebody() -> PrivacyRequest:
    return suppression.request_privacy(
        kind="objection", username="some.body", contact="some@body.example"
    )


@pytest.fixture
def as_stella(client: Client, stella: User) -> Client:
    client.force_login(stella, backend="django.contrib.auth.backends.ModelBackend")
    return client


def act(browser: Client, model: str, action: str, row: PrivacyRequest | DeletionRequest) -> None:
    page = reverse(f"admin:accounts_{model}_changelist")
    answer = browser.post(page, {"action": action, "_selected_action": [row.pk]}, follow=True)
    assert answer.status_code == 200
    row.refresh_from_db()


def test_a_grant_by_staff_keeps_the_name_out(as_stella, stella, request_of_somebody):
    act(as_stella, "privacyrequest", "agree", request_of_somebody)

    assert request_of_somebody.decided_by == stella
    assert suppression.suppressed([], ["some.body"]) == {"some.body"}


def test_a_refusal_gives_its_reason(as_stella, request_of_somebody):
    act(as_stella, "privacyrequest", "refuse_unproven", request_of_somebody)

    assert request_of_somebody.state == "refused"
    assert request_of_somebody.reason
    assert not SuppressedPerson.objects.exists()


def test_what_is_undecided_cannot_be_closed(as_stella, request_of_somebody):
    act(as_stella, "privacyrequest", "close", request_of_somebody)

    assert request_of_somebody.username == "some.body"


def test_a_member_who_is_no_staff_decides_nothing(client, bob, request_of_somebody):
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("admin:accounts_privacyrequest_changelist")

    client.post(page, {"action": "agree", "_selected_action": [request_of_somebody.pk]})

    request_of_somebody.refresh_from_db()
    assert request_of_somebody.state == "open"


def test_a_failed_erasure_is_set_going_again_by_staff(as_stella, account):
    deletion = erasure.request_account_erasure(account=account, channel="web")
    DeletionRequest.objects.update(state="failed", failures=8)

    act(as_stella, "deletionrequest", "try_again", deletion)

    assert (deletion.state, deletion.failures) == ("requested", 0)
