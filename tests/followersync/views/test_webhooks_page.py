"""A member's programs are told of news; the secret is shown once."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from followersync.models import WebhookSubscription
from followersync.services.webhooks import outbound
from tests.support.factories import PASSWORD

ADDRESS = "https://program.example.org/hook"


@pytest.fixture
def as_alice(as_alice: Client) -> Client:
    """Alice has typed her password once more."""
    as_alice.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return as_alice


def test_an_open_session_is_not_enough_to_be_shown_a_secret(client: Client, alice: User) -> None:
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.post(reverse("webhook-subscribe"), {"url": ADDRESS})

    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert not WebhookSubscription.objects.exists()


def test_the_secret_is_shown_once_and_never_again(as_alice: Client, alice: User) -> None:
    made = as_alice.post(reverse("webhook-subscribe"), {"url": ADDRESS})
    text = made.content.decode()
    secret = text.partition("whsec_")[2][:40]
    assert secret
    assert made.headers["Cache-Control"] == "no-store"

    again = as_alice.get(reverse("webhooks")).content.decode()

    assert ADDRESS in again
    assert "whsec_" not in again


@pytest.mark.parametrize("url", ["", "http://program.example.org/", "https://127.0.0.1/", "x"])
def test_an_address_that_cannot_be_is_refused_at_its_field(url: str, as_alice: Client) -> None:
    answer = as_alice.post(reverse("webhook-subscribe"), {"url": url})

    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert not WebhookSubscription.objects.exists()


def test_one_that_gave_up_can_be_switched_on_again(as_alice: Client, alice: User) -> None:
    made, _secret = outbound.subscribe(owner=alice, url=ADDRESS)
    outbound._disable(made, "failing")
    assert "took nothing for days" in as_alice.get(reverse("webhooks")).content.decode()

    as_alice.post(reverse("webhook-enable", args=[made.pk]))

    made.refresh_from_db()
    assert made.disabled_at is None


def test_it_is_removed_at_a_press(as_alice: Client, alice: User) -> None:
    made, _secret = outbound.subscribe(owner=alice, url=ADDRESS)

    as_alice.post(reverse("webhook-remove", args=[made.pk]))

    assert not WebhookSubscription.objects.exists()


@pytest.mark.parametrize("name", ["webhook-remove", "webhook-enable"])
def test_another_members_webhook_is_out_of_reach(
    name: str, as_alice: Client, alice: User, bob: User
) -> None:
    made, _secret = outbound.subscribe(owner=bob, url=ADDRESS)

    assert as_alice.post(reverse(name, args=[made.pk])).status_code == 404

    assert WebhookSubscription.objects.filter(owner=bob).exists()
    assert ADDRESS not in as_alice.get(reverse("webhooks")).content.decode()


def test_a_stranger_is_sent_to_the_sign_in(client: Client, db: None) -> None:
    assert "/auth/login/" in client.get(reverse("webhooks"))["Location"]
    assert "/auth/login/" in client.post(reverse("webhook-subscribe"), {"url": ADDRESS})["Location"]
