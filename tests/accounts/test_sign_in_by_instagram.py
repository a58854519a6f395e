"""Signing up, signing in and linking by Instagram, over the sandbox's real HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.messages import get_messages
from django.test import Client

from accounts import selectors
from accounts.models import AccessToken, ConsentEvent, LinkedAccount, User
from accounts.scopes import BASIC_PERMISSION, INSIGHTS_PERMISSION, Scope
from accounts.services import linking, tokens
from tests.support.journey import asked, come_back, link, tick
from tests.support.sandbox import Sandbox


def _said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def _signed_in(client: Client) -> User | None:
    number = client.session.get("_auth_user_id")
    return User.objects.get(pk=number) if number else None


def _plain_sign_in(client: Client, sandbox: Sandbox, persona: str) -> Any:
    url = client.post("/auth/instagram/login/")["Location"]
    return come_back(client, sandbox.authorize(url, persona))


@pytest.mark.django_db
class TestSigningUp:
    def test_a_visitor_becomes_a_member_with_the_account_linked_and_consents_recorded(
        self, client: Client, sandbox: Sandbox
    ) -> None:
        answer = link(client, sandbox, "ada", Scope.FOLLOWERS, Scope.INSIGHTS)

        member = _signed_in(client)
        assert answer.status_code == 302
        assert member is not None
        assert member.username == "ada"
        assert not member.has_usable_password()
        (account,) = selectors.accounts_of(member)
        assert account.instagram_id == sandbox.id_of("ada")
        assert account.app_scoped_id not in (None, account.instagram_id)
        assert selectors.consents_in_force(account) == {Scope.FOLLOWERS, Scope.INSIGHTS}
        assert set(ConsentEvent.objects.values_list("channel", flat=True)) == {"web"}

    def test_they_land_on_the_page_of_the_account_that_they_linked(
        self, client: Client, sandbox: Sandbox
    ) -> None:
        answer = link(client, sandbox, "ada", Scope.FOLLOWERS)

        assert answer["Location"] == f"/accounts/{LinkedAccount.objects.get().pk}/"

    def test_a_member_who_comes_by_the_consent_page_lands_there_too(
        self, client: Client, sandbox: Sandbox
    ) -> None:
        link(client, sandbox, "ada", Scope.FOLLOWERS)

        answer = link(Client(), sandbox, "ada", Scope.FOLLOWERS)

        assert answer["Location"] == f"/accounts/{LinkedAccount.objects.get().pk}/"

    def test_a_plain_sign_in_lands_where_it_always_does(
        self, client: Client, sandbox: Sandbox
    ) -> None:
        assert _plain_sign_in(client, sandbox, "ada")["Location"] == "/accounts/"

    def test_they_are_reminded_of_a_way_back_in(self, client: Client, sandbox: Sandbox) -> None:
        link(client, sandbox, "ada")

        member = _signed_in(client)
        assert member is not None
        assert selectors.needs_recovery_contact(member)

    def test_a_taken_username_becomes_one_like_it(
        self, client: Client, sandbox: Sandbox, alice: User
    ) -> None:
        sandbox.persona("alice")

        link(client, sandbox, "alice")

        member = _signed_in(client)
        assert member is not None
        assert member != alice
        assert member.username.startswith("alice")

    def test_nothing_ticked_is_nothing_granted(self, client: Client, sandbox: Sandbox) -> None:
        link(client, sandbox, "ada")

        assert LinkedAccount.objects.count() == 1
        assert not ConsentEvent.objects.exists()

    @pytest.mark.parametrize(
        "shape", ["live_flat", "docs_data_array", "app_scoped_big_int", "no_permissions"]
    )
    def test_every_known_token_reply_is_understood(
        self, client: Client, sandbox: Sandbox, shape: str
    ) -> None:
        sandbox.shape(token=shape)

        link(client, sandbox, "ada", Scope.FOLLOWERS)

        account = LinkedAccount.objects.get()
        assert account.instagram_id == sandbox.id_of("ada")
        assert account.granted_permissions == [BASIC_PERMISSION]
        assert tokens.usable_token(account.pk).startswith("IGAA")

    def test_the_wrapped_profile_is_understood_too(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.shape(profile="docs_data_array")

        link(client, sandbox, "ada", Scope.FOLLOWERS)

        assert LinkedAccount.objects.get().username == "ada"


@pytest.mark.django_db
class TestSigningInAgain:
    def test_the_same_person_is_the_same_member(self, client: Client, sandbox: Sandbox) -> None:
        link(client, sandbox, "ada", Scope.FOLLOWERS)
        member = _signed_in(client)

        browser = Client()
        _plain_sign_in(browser, sandbox, "ada")

        assert _signed_in(browser) == member
        assert User.objects.count() == LinkedAccount.objects.count() == 1

    def test_a_sign_in_heals_a_dead_link(self, client: Client, sandbox: Sandbox) -> None:
        link(client, sandbox, "ada", Scope.FOLLOWERS)
        account = LinkedAccount.objects.get()
        linking.mark_needs_reconnect(account=account, reason="password_changed")

        _plain_sign_in(Client(), sandbox, "ada")

        account.refresh_from_db()
        assert account.state == "active"

    def test_a_member_who_unlinked_can_sign_in_without_being_linked_again(
        self, client: Client, sandbox: Sandbox
    ) -> None:
        link(client, sandbox, "ada", Scope.FOLLOWERS)
        member = _signed_in(client)
        account = LinkedAccount.objects.get()
        linking.unlink(account=account, erase="after_grace", channel="web", actor=member)

        browser = Client()
        _plain_sign_in(browser, sandbox, "ada")

        assert _signed_in(browser) == member
        account.refresh_from_db()
        assert account.state == "unlinked"
        assert not AccessToken.objects.exists()


class TestLinkingMore:
    def test_a_second_account_goes_to_the_same_member(
        self, as_alice: Client, sandbox: Sandbox, alice: User
    ) -> None:
        sandbox.persona("bela")
        link(as_alice, sandbox, "ada", Scope.FOLLOWERS)
        url = tick(as_alice, Scope.FOLLOWERS)
        assert "force_reauth=true" in url
        come_back(as_alice, sandbox.authorize(url, "bela"))

        assert _signed_in(as_alice) == alice
        assert [each.username for each in selectors.accounts_of(alice)] == ["ada", "bela"]
        assert User.objects.count() == 1

    def test_the_plain_button_links_too_when_somebody_is_signed_in(
        self, as_alice: Client, sandbox: Sandbox, alice: User
    ) -> None:
        _plain_sign_in(as_alice, sandbox, "ada")

        assert _signed_in(as_alice) == alice
        assert LinkedAccount.objects.get().owner == alice

    def test_an_account_of_another_member_is_refused_with_a_clear_message(
        self, as_alice: Client, sandbox: Sandbox, alice: User
    ) -> None:
        other = Client()
        link(other, sandbox, "ada", Scope.FOLLOWERS)

        answer = link(as_alice, sandbox, "ada", Scope.FOLLOWERS)

        assert "linked to another member" in _said(answer)
        assert _signed_in(as_alice) == alice
        assert not selectors.accounts_of(alice).exists()
        assert SocialAccount.objects.get().user == _signed_in(other)

    def test_reconnecting_goes_to_the_very_account(
        self, as_alice: Client, sandbox: Sandbox
    ) -> None:
        sandbox.persona("bela")
        link(as_alice, sandbox, "ada", Scope.FOLLOWERS, Scope.INSIGHTS)
        account = LinkedAccount.objects.get()
        before = tokens.usable_token(account.pk)
        linking.mark_needs_reconnect(account=account, reason="expired")

        path = f"/link/?account={account.pk}"
        url = tick(as_alice, path=path)
        assert asked(url) == {BASIC_PERMISSION, INSIGHTS_PERMISSION}
        wrong = come_back(as_alice, sandbox.authorize(url, "bela"))
        assert "@bela" in _said(wrong)
        assert LinkedAccount.objects.get().state == "needs_reconnect"

        answer = link(as_alice, sandbox, "ada", path=path)
        assert "connected again" in _said(answer)
        account.refresh_from_db()
        assert account.state == "active"
        assert tokens.usable_token(account.pk) != before


class TestWhatWasRefused:
    def test_a_refusal_at_instagram_changes_nothing(
        self, as_alice: Client, sandbox: Sandbox
    ) -> None:
        answer = link(as_alice, sandbox, "ada", Scope.FOLLOWERS, decision="deny")

        assert answer["Location"] == "/auth/3rdparty/login/cancelled/"
        assert not LinkedAccount.objects.exists()
        assert not ConsentEvent.objects.exists()

    def test_an_unticked_permission_leaves_its_scope_off_and_says_so(
        self, as_alice: Client, sandbox: Sandbox
    ) -> None:
        answer = link(
            as_alice,
            sandbox,
            "ada",
            Scope.FOLLOWERS,
            Scope.INSIGHTS,
            permissions=[BASIC_PERMISSION],
        )

        assert "insights" in _said(answer)
        account = LinkedAccount.objects.get()
        assert selectors.consents_in_force(account) == {Scope.FOLLOWERS}

    def test_only_what_the_ticked_scopes_need_is_asked_for(
        self, as_alice: Client, sandbox: Sandbox
    ) -> None:
        assert asked(tick(as_alice, Scope.FOLLOWERS)) == {BASIC_PERMISSION}
        assert asked(tick(as_alice, Scope.INSIGHTS)) == {BASIC_PERMISSION, INSIGHTS_PERMISSION}

    def test_scope_and_parameters_from_outside_are_ignored(
        self, client: Client, sandbox: Sandbox, db: None
    ) -> None:
        answer = client.post(
            "/auth/instagram/login/?scope=instagram_business_manage_messages"
            "&auth_params=redirect_uri%3Dhttps%3A%2F%2Fevil.example%26client_id%3D1"
        )

        query = parse_qs(urlsplit(answer["Location"]).query)
        assert query["scope"] == [BASIC_PERMISSION]
        assert query["redirect_uri"] == ["http://testserver/auth/instagram/login/callback/"]


def test_a_linked_account_cannot_be_removed_as_a_mere_sign_in(
    as_alice: Client, sandbox: Sandbox
) -> None:
    link(as_alice, sandbox, "ada", Scope.FOLLOWERS)
    social = SocialAccount.objects.get()

    as_alice.post("/auth/3rdparty/", {"account": social.pk})

    assert SocialAccount.objects.exists()
