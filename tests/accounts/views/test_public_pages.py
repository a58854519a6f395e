"""What anybody may read, member or not."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import server_error
from pytest_django import Settings

from accounts.models import LinkedAccount, PrivacyRequest
from accounts.selectors.privacy import retention_rules
from accounts.services import linking


@pytest.mark.parametrize("name", ["home", "link", "privacy", "imprint"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_visitor_can_read_it_in_both_languages(
    name: str, language: str, client: Client, db: None
) -> None:
    answer = client.get(reverse(name), headers={"Accept-Language": language})

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.content.decode()


def test_the_front_page_is_honest_about_what_instagram_gives(
    client: Client, db: None, settings: Settings
) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = ""

    text = client.get("/").content.decode()

    assert "but not who they are: there is no list endpoint" in text


def test_the_policy_states_the_retention_that_is_in_force(
    client: Client, db: None, settings: Settings
) -> None:
    settings.RETENTION_DAYS = {"runs": 17}

    text = client.get(reverse("privacy")).content.decode()

    assert "17 days" in text
    for rule in retention_rules():
        assert str(rule.label) in text.replace("&#x27;", "'")


def test_a_non_member_can_ask_to_be_dropped(client: Client, db: None) -> None:
    form = {"kind": "erasure", "username": "@Cem.Kaya", "contact": "cem@example.org"}

    answer = client.post(reverse("privacy"), form)

    request = PrivacyRequest.objects.get()
    assert (request.kind, request.username) == ("erasure", "cem.kaya")
    assert request.code in answer.content.decode()


@pytest.mark.parametrize(
    "wrong", [{"kind": "revenge"}, {"username": "not a name!"}, {"contact": "nowhere"}]
)
def test_a_request_that_cannot_be_answered_is_refused_in_words(
    wrong: dict[str, str], client: Client, db: None
) -> None:
    form = {"kind": "erasure", "username": "cem", "contact": "cem@example.org"} | wrong

    answer = client.post(reverse("privacy"), form)

    assert answer.status_code == 422
    assert 'class="errorlist' in answer.content.decode()
    assert not PrivacyRequest.objects.exists()


def test_an_erasure_can_be_followed_by_its_code_without_any_name(
    client: Client, account: LinkedAccount
) -> None:
    deletion = linking.unlink(account=account, erase="now", channel="web", actor=account.owner)

    text = client.get(reverse("deletion", args=[deletion.code])).content.decode()

    assert deletion.code in text
    assert "alice" not in text
    assert 'hx-trigger="every 3s"' in text


def test_an_unknown_code_is_not_found(client: Client, db: None) -> None:
    assert client.get("/deletion/ABCDEFGH/").status_code == 404
    assert client.get("/deletion/ABCDEFGH/receipt.json").status_code == 404


def test_a_missing_page_is_ours_and_says_what_to_do(client: Client, db: None) -> None:
    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert "Check the address" in answer.content.decode()


def test_the_page_of_our_own_faults_needs_nothing_that_may_be_broken(db: None) -> None:
    answer = server_error(RequestFactory().get("/"))

    assert "A fault of ours" in answer.content.decode()


def test_a_form_without_its_guard_is_refused_in_words(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post(reverse("link"), {})

    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()


def test_pages_run_no_foreign_script(client: Client, db: None) -> None:
    policy = client.get("/")["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "name",
    ["account_login", "account_signup", "account_reset_password", "account_email", "mfa_index"],
)
def test_sign_in_pages_look_like_ours(name: str, as_alice: Client, client: Client) -> None:
    if name in ("account_login", "account_signup", "account_reset_password"):
        client.logout()

    text = client.get(reverse(name)).content.decode()

    assert 'class="wordmark"' in text
    assert "threadsite/site" in text


@pytest.mark.parametrize("name", ["imprint", "privacy"])
def test_whoever_runs_the_site_is_named_as_they_wish(
    name: str, client: Client, db: None, settings: Settings
) -> None:
    settings.OPERATOR_NAME = "Ada <Lovelace> e.V."
    settings.OPERATOR_ADDRESS = "St James's Square 12; London"
    settings.OPERATOR_EMAIL = "ada@example.org"

    text = client.get(reverse(name)).content.decode()

    assert "Ada &lt;Lovelace&gt; e.V." in text
    assert "Square 12<br>London" in text
    assert "ada@example.org" in text


@pytest.mark.parametrize("name", ["imprint", "privacy"])
def test_without_a_name_there_is_an_address_to_write_to(
    name: str, client: Client, db: None, settings: Settings
) -> None:
    settings.OPERATOR_NAME = settings.OPERATOR_ADDRESS = settings.OPERATOR_EMAIL = ""
    settings.DEFAULT_FROM_EMAIL = "site@example.org"

    assert "site@example.org" in client.get(reverse(name)).content.decode()


def test_a_browser_that_asks_for_an_icon_gets_one(client: Client, db: None) -> None:
    assert client.get("/favicon.ico")["Location"].endswith("threadsite/mark.svg")
