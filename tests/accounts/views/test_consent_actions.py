"""The member allows and withdraws on the settings page, to the very text shown there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ConsentEvent, LinkedAccount
from accounts.scopes import Scope
from accounts.selectors import consents_in_force
from accounts.services.consent import current_text
from tests.support.factories import consent


def test_allowing_writes_the_shown_text_into_the_ledger(
    as_alice: Client, account: LinkedAccount
) -> None:
    text = current_text(Scope.INSIGHTS, "en")

    as_alice.post(reverse("consent-grant", args=[account.pk, "insights"]), {"text_hash": text.hash})

    event = ConsentEvent.objects.get()
    assert (event.action, event.channel, event.text_hash) == ("granted", "web", text.hash)
    assert consents_in_force(account) == {Scope.INSIGHTS}


def test_an_unknown_text_is_not_agreed_to(as_alice: Client, account: LinkedAccount) -> None:
    address = reverse("consent-grant", args=[account.pk, "insights"])

    answer = as_alice.post(address, {"text_hash": "0" * 64}, follow=True)

    assert 'class="notice error"' in answer.content.decode()
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize(("sent", "kept"), [({}, False), ({"keep_data": "on"}, True)])
def test_withdrawing_erases_unless_the_member_keeps_the_data(
    sent: dict[str, str], kept: bool, as_alice: Client, account: LinkedAccount
) -> None:
    consent(account, Scope.INSIGHTS)

    as_alice.post(reverse("consent-withdraw", args=[account.pk, "insights"]), sent)

    event = ConsentEvent.objects.order_by("-sequence")[0]
    assert (event.action, event.keep_data) == ("withdrawn", kept)
    assert consents_in_force(account) == frozenset()


def test_withdrawing_what_was_not_given_says_so(as_alice: Client, account: LinkedAccount) -> None:
    address = reverse("consent-withdraw", args=[account.pk, "insights"])

    answer = as_alice.post(address, follow=True)

    assert "You have not allowed this use" in answer.content.decode()


def test_the_history_shows_who_said_what(as_alice: Client, account: LinkedAccount) -> None:
    consent(account, Scope.FOLLOWERS)

    text = as_alice.get(reverse("account-settings", args=[account.pk])).content.decode()

    assert "Followers: granted" in " ".join(text.split())
    assert "by the member on the site" in text
    assert current_text(Scope.FOLLOWERS, "en").hash in text


def test_a_purpose_that_is_none_is_not_found(as_alice: Client, account: LinkedAccount) -> None:
    assert as_alice.post(f"/accounts/{account.pk}/consents/everything/").status_code == 404


@pytest.mark.parametrize("name", ["consent-grant", "consent-withdraw"])
def test_another_member_cannot_speak_for_the_owner(
    name: str, client: Client, bob: object, account: LinkedAccount
) -> None:
    consent(account, Scope.INSIGHTS)
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]

    answer = client.post(
        reverse(name, args=[account.pk, "insights"]),
        {"text_hash": current_text(Scope.INSIGHTS, "en").hash},
    )

    assert answer.status_code == 404
    assert ConsentEvent.objects.count() == 1
