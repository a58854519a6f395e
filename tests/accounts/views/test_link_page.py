"""Consent before access: nothing is asked of Instagram that was not said and ticked here."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ConsentEvent, LinkedAccount, User
from accounts.scopes import Scope
from accounts.services.consent import current_text, current_texts
from tests.support.factories import LinkedAccountFactory


def ticked(*scopes: Scope) -> dict[str, object]:
    """The form as a browser sends it: every shown text's hash, and what was ticked."""
    hashes = {f"hash_{scope}": text.hash for scope, text in current_texts("en").items()}
    return {"scopes": [scope.value for scope in scopes], **hashes}


def test_every_purpose_is_explained_and_none_is_ticked(client: Client, db: None) -> None:
    text = client.get(reverse("link")).content.decode()

    for scope in Scope:
        assert current_text(scope, "en").text in text.replace("&#x27;", "'")
    assert len(re.findall(r'type="checkbox"', text)) == len(Scope)
    assert not re.search(r'type="checkbox"[^>]*checked', text)


def test_what_linking_itself_needs_is_said(client: Client, db: None) -> None:
    text = client.get(reverse("link")).content.decode()

    text = text.replace("&#x27;", "'")
    assert "Your account's ids at Instagram and its username." in text
    assert "Nothing else of your profile is read: no name, no picture, no figures." in text


def test_it_goes_to_instagram_asking_only_for_what_was_ticked(as_alice: Client) -> None:
    answer = as_alice.post(reverse("link"), ticked(Scope.FOLLOWERS))

    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert answer.status_code == 302
    assert asked["scope"] == ["instagram_business_basic"]


def test_a_visitor_may_link_and_so_sign_up(client: Client, db: None) -> None:
    answer = client.post(reverse("link"), ticked())

    assert urlsplit(answer["Location"]).path == "/oauth/authorize"


def test_scopes_put_into_the_address_are_ignored(as_alice: Client) -> None:
    address = reverse("link") + "?scope=instagram_business_manage_insights&auth_params=x"

    answer = as_alice.post(address, ticked())

    assert parse_qs(urlsplit(answer["Location"]).query)["scope"] == ["instagram_business_basic"]


def test_a_text_that_was_not_the_shown_one_is_not_agreed_to(as_alice: Client) -> None:
    form = ticked(Scope.FOLLOWERS) | {"hash_followers": "0" * 64}

    answer = as_alice.post(reverse("link"), form)

    assert answer.status_code == 409
    assert "The text has changed" in answer.content.decode()
    assert not ConsentEvent.objects.exists()


def test_reconnecting_names_the_very_account(as_alice: Client, account: LinkedAccount) -> None:
    text = as_alice.get(reverse("link"), {"account": account.pk}).content.decode()

    assert "Reconnect @alice.ig" in text


@pytest.mark.parametrize("reference", ["x", "-1", "0", "99999999999999999999999"])
def test_an_account_that_is_not_mine_cannot_be_reconnected(
    reference: str, as_alice: Client, bob: User
) -> None:
    assert as_alice.get(reverse("link"), {"account": reference}).status_code == 404


def test_another_members_account_cannot_be_reconnected(as_alice: Client, bob: User) -> None:
    theirs = LinkedAccountFactory(owner=bob)

    assert as_alice.get(reverse("link"), {"account": theirs.pk}).status_code == 404


def test_a_personal_account_is_added_by_its_name_alone(as_alice: Client, alice: User) -> None:
    answer = as_alice.post(reverse("link-archive"), {"username": "@Ada.Private"})

    added = LinkedAccount.objects.get(owner=alice)
    assert answer["Location"] == reverse("account-settings", args=[added.pk])
    assert (added.username, added.kind, added.is_proven) == ("ada.private", "archive", False)


@pytest.mark.parametrize("name", ["", "a b", "ада", "<script>", "x" * 31])
def test_a_name_that_can_be_none_is_refused_at_its_field(name: str, as_alice: Client) -> None:
    answer = as_alice.post(reverse("link-archive"), {"username": name})

    assert answer.status_code == 422
    assert 'class="errorlist"' in answer.content.decode()
    assert not LinkedAccount.objects.exists()


def test_adding_the_same_name_twice_is_refused_in_words(as_alice: Client) -> None:
    as_alice.post(reverse("link-archive"), {"username": "ada.private"})

    answer = as_alice.post(reverse("link-archive"), {"username": "ada.private"}, follow=True)

    assert "You have linked this account already." in answer.content.decode()
    assert LinkedAccount.objects.count() == 1


def test_a_stranger_cannot_add_by_archive(client: Client, db: None) -> None:
    answer = client.post(reverse("link-archive"), {"username": "ada.private"})

    assert answer.status_code == 302
    assert not LinkedAccount.objects.exists()
