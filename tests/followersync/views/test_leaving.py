"""Nobody loses anything by a slip, and whoever means it has it done at once."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AccessToken, DeletionRequest, LinkedAccount, User
from tests.support.factories import PASSWORD
from tests.support.members import grow_old
from tests.support.sync import write


@pytest.fixture
def listed(followed: LinkedAccount) -> LinkedAccount:
    write(followed, people=[(100 + n, f"person.{n:03}") for n in range(1204)])
    return followed


@pytest.fixture
def sure(as_alice: Client, listed: LinkedAccount) -> Client:
    """Alice's browser, in which she has just shown again that it is she."""
    as_alice.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return as_alice


@pytest.mark.parametrize("name", ["account-unlink", "account-delete"])
def test_it_is_said_in_numbers_what_will_go(
    name: str, as_alice: Client, listed: LinkedAccount
) -> None:
    text = as_alice.get(reverse(name, args=[listed.pk])).content.decode()

    assert "1,204 followers" in text
    listed.refresh_from_db()
    assert listed.state == "active"


def test_unlinking_asks_for_the_password_again_first(
    as_alice: Client, listed: LinkedAccount
) -> None:
    grow_old(as_alice)

    answer = as_alice.post(reverse("account-unlink", args=[listed.pk]), {"erase": "now"})

    listed.refresh_from_db()
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert listed.state == "active"


def test_unlinking_destroys_the_token_at_once_and_hands_over_the_code(
    sure: Client, listed: LinkedAccount
) -> None:
    answer = sure.post(reverse("account-unlink", args=[listed.pk]), {"erase": "now"})

    deletion = DeletionRequest.objects.get()
    text = answer.content.decode()
    assert deletion.code in text
    assert not AccessToken.objects.filter(account=listed).exists()
    assert sure.get(reverse("account", args=[listed.pk])).status_code == 404


def test_unlinking_with_grace_keeps_the_list_until_then(
    sure: Client, listed: LinkedAccount
) -> None:
    answer = sure.post(reverse("account-unlink", args=[listed.pk]), {"erase": "after_grace"})

    assert "unless you link the account again" in answer.content.decode()
    assert DeletionRequest.objects.get().state == "scheduled"
    assert "was unlinked" in sure.get(reverse("account", args=[listed.pk])).content.decode()


def test_the_grace_can_be_ended_early_by_a_press(sure: Client, listed: LinkedAccount) -> None:
    sure.post(reverse("account-unlink", args=[listed.pk]), {"erase": "after_grace"})
    page = sure.get(reverse("account", args=[listed.pk])).content.decode()
    assert "is kept until" in page
    assert "Erase it now" in page

    sure.post(reverse("account-erase", args=[listed.pk]))

    assert DeletionRequest.objects.get().state == "requested"


def test_ending_the_grace_asks_for_the_password_again_too(
    sure: Client, listed: LinkedAccount
) -> None:
    sure.post(reverse("account-unlink", args=[listed.pk]), {"erase": "after_grace"})
    later = Client()
    later.force_login(listed.owner)

    answer = later.post(reverse("account-erase", args=[listed.pk]))

    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert DeletionRequest.objects.get().state == "scheduled"


def test_a_linked_account_cannot_be_erased_by_that_press(
    sure: Client, listed: LinkedAccount
) -> None:
    assert sure.post(reverse("account-erase", args=[listed.pk])).status_code == 404


def test_deleting_needs_the_name_typed(sure: Client, listed: LinkedAccount) -> None:
    answer = sure.post(reverse("account-delete", args=[listed.pk]), {"confirm": "alice"})

    listed.refresh_from_db()
    assert answer.status_code == 422
    assert "nothing was deleted" in answer.content.decode()
    assert listed.state == "active"


def test_deleting_erases_at_once(sure: Client, listed: LinkedAccount) -> None:
    sure.post(reverse("account-delete", args=[listed.pk]), {"confirm": "@alice.ig"})

    listed.refresh_from_db()
    assert listed.unlinked_at is not None
    assert DeletionRequest.objects.get().state == "requested"


def test_deleting_everything_signs_out_and_leads_to_the_public_page(
    sure: Client, alice: User, listed: LinkedAccount
) -> None:
    answer = sure.post(reverse("delete-everything"), {"confirm": "alice"})

    deletion = DeletionRequest.objects.get(everything=True)
    text = answer.content.decode()
    assert deletion.code in text
    assert sure.get(reverse("accounts")).status_code == 302
    assert sure.get(reverse("deletion", args=[deletion.code])).status_code == 200


def test_the_salt_is_shown_once_and_stored_nowhere(sure: Client, listed: LinkedAccount) -> None:
    answer = sure.post(reverse("account-unlink", args=[listed.pk]), {"erase": "now"})

    salt = re.search(r'Your salt</dt><dd class="mono">(\w+)<', answer.content.decode())
    assert salt
    code = DeletionRequest.objects.get().code
    assert salt[1] not in sure.get(reverse("deletion", args=[code])).content.decode()
