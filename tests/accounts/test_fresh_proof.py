"""A live session, stolen or left open, must not be turned into the whole account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client as Program
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from accounts import auth_routes
from accounts.models import LinkedAccount, SuppressedPerson, User
from accounts.scopes import Scope
from followersync.models import WatchedFolder
from tests.support.factories import PASSWORD
from tests.support.journey import come_back, link, tick
from tests.support.members import grow_old, sign_in
from tests.support.oauth import ask, exchange, grant, make_program, redeem, told
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a wholly new staple"


def _prove(browser: Client) -> None:
    answer = browser.post("/auth/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302


@pytest.fixture
def old_session(as_alice: Client) -> Client:
    """Alice's, an hour after she signed in: left open, or stolen."""
    return grow_old(as_alice)


@pytest.fixture
def by_instagram(client: Client, sandbox: Sandbox) -> Client:
    """The session of a member who has nothing but Instagram, an hour after their sign-in."""
    link(client, sandbox, "ada", Scope.FOLLOWERS)
    grow_old(client)
    return client


CHANGES = [
    ("/auth/password/change/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD,
                                "password2": NEW_PASSWORD}),
    ("/auth/email/", {"action_add": "", "email": "thief@example.org"}),
    ("/auth/email/", {"action_primary": "", "email": "second@example.org"}),
    ("/auth/email/", {"action_remove": "", "email": "second@example.org"}),
    ("/auth/2fa/totp/activate/", {"code": "123456"}),
    ("/auth/2fa/totp/deactivate/", {}),
    ("/auth/2fa/recovery-codes/generate/", {}),
    ("/auth/2fa/webauthn/add/", {"name": "a key", "credential": "{}"}),
    ("/auth/2fa/webauthn/keys/1/remove/", {}),
    ("/auth/2fa/webauthn/keys/1/edit/", {"name": "another"}),
    ("/auth/3rdparty/", {"account": "1"}),
    ("/auth/instagram/login/", {}),
    ("/auth/instagram/login/?process=connect", {}),
]  # fmt: skip


class TestWithAPassword:
    @pytest.fixture
    def second(self, alice: User) -> EmailAddress:
        return EmailAddress.objects.create(user=alice, email="second@example.org", verified=True)

    @pytest.mark.parametrize(("path", "form"), CHANGES)
    def test_no_change_of_a_credential_without_the_password(
        self, old_session: Client, second: EmailAddress, path: str, form: dict[str, str]
    ) -> None:
        answer = old_session.post(path, form)

        assert answer["Location"].startswith("/auth/reauthenticate/?next=")
        assert set(EmailAddress.objects.values_list("email", "primary")) == {
            ("alice@example.org", True),
            ("second@example.org", False),
        }
        assert not Authenticator.objects.exists()
        assert User.objects.get().check_password(PASSWORD)

    @pytest.mark.parametrize(
        "path", ["/auth/2fa/recovery-codes/", "/auth/2fa/recovery-codes/download/"]
    )
    def test_recovery_codes_are_not_even_shown(self, old_session: Client, path: str) -> None:
        assert old_session.get(path)["Location"].startswith("/auth/reauthenticate/")

    def test_with_it_the_change_is_made(self, old_session: Client, alice: User) -> None:
        _prove(old_session)

        old_session.post("/auth/email/", {"action_add": "", "email": "new@example.org"})

        assert EmailAddress.objects.filter(user=alice, email="new@example.org").exists()

    def test_a_sign_in_just_now_is_proof_and_one_of_an_hour_ago_is_none(
        self, client: Client, alice: User
    ) -> None:
        client.post("/auth/login/", {"login": "alice", "password": PASSWORD})
        assert client.get("/auth/2fa/totp/activate/").status_code == 200
        grow_old(client)

        assert client.get("/auth/2fa/totp/activate/").status_code == 302

    def test_a_password_on_its_way_is_not_kept_in_the_session(self, old_session: Client) -> None:
        old_session.post(
            "/auth/password/change/",
            {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        )

        assert NEW_PASSWORD not in str([each.get_decoded() for each in Session.objects.all()])

    def test_linking_an_account_makes_a_way_in_and_needs_the_password(
        self, old_session: Client, sandbox: Sandbox
    ) -> None:
        assert tick(old_session, Scope.FOLLOWERS).startswith("/auth/reauthenticate/?next=/link/")
        _prove(old_session)

        link(old_session, sandbox, "ada", Scope.FOLLOWERS)

        assert LinkedAccount.objects.get().username == "ada"


class TestWithInstagramAlone:
    def test_a_first_password_is_set_by_whoever_signs_in_at_instagram(
        self, by_instagram: Client, sandbox: Sandbox
    ) -> None:
        form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

        there = by_instagram.post("/auth/password/set/", form)["Location"]

        assert there.startswith(sandbox.base_url)
        assert not User.objects.get().has_usable_password()
        back = come_back(by_instagram, sandbox.authorize(there, "ada"))
        assert back["Location"] == "/auth/password/set/"
        by_instagram.post("/auth/password/set/", form)
        assert User.objects.get().check_password(NEW_PASSWORD)

    @pytest.mark.parametrize(("path", "form"), CHANGES[1:])
    def test_nor_anything_else_is_changed_before(
        self, by_instagram: Client, sandbox: Sandbox, path: str, form: dict[str, str]
    ) -> None:
        assert by_instagram.post(path, form)["Location"].startswith(sandbox.base_url)

    def test_a_thief_cannot_link_an_account_of_their_own_to_sign_in_by(
        self, by_instagram: Client, sandbox: Sandbox
    ) -> None:
        sandbox.persona("eve")

        there = tick(by_instagram, Scope.FOLLOWERS)
        come_back(by_instagram, sandbox.authorize(there, "eve"))

        assert SocialAccount.objects.count() == 1
        assert LinkedAccount.objects.get().username == "ada"

    def test_who_has_only_a_confirmed_address_left_is_sent_there(
        self, by_instagram: Client
    ) -> None:
        SocialAccount.objects.all().delete()
        EmailAddress.objects.create(user=User.objects.get(), email="a@example.org", verified=True)

        answer = by_instagram.get("/auth/password/set/")

        assert answer["Location"] == "/auth/password/reset/"


class TestAResetByMail:
    def test_an_unverified_address_gets_no_way_in(self, client: Client, alice: User) -> None:
        EmailAddress.objects.create(user=alice, email="thief@example.org", verified=False)

        client.post("/auth/password/reset/", {"email": "thief@example.org"})

        (sent,) = mail.outbox
        assert "/auth/password/reset/" not in sent.body
        assert "/auth/confirm-email/" in sent.body

    def test_an_address_known_only_from_the_member_s_row_gets_none_either(
        self, client: Client, alice: User
    ) -> None:
        EmailAddress.objects.all().delete()

        client.post("/auth/password/reset/", {"email": alice.email})

        assert not re.search("/auth/password/reset/key/", "".join(str(m.body) for m in mail.outbox))

    def test_a_verified_one_gets_it_and_the_page_tells_nobody_which(
        self, client: Client, alice: User
    ) -> None:
        EmailAddress.objects.create(user=alice, email="new@example.org", verified=False)
        answers = [
            client.post("/auth/password/reset/", {"email": email})
            for email in (alice.email, "new@example.org", "nobody@example.org")
        ]

        assert "/auth/password/reset/key/" in mail.outbox[0].body
        assert {each["Location"] for each in answers} == {"/auth/password/reset/done/"}


def test_staff_set_nobodys_password(client: Client, alice: User, stella: User) -> None:
    sign_in(client, stella)
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}

    answer = client.post(f"/admin/accounts/user/{alice.pk}/password/", form)

    alice.refresh_from_db()
    assert answer.status_code in (403, 404)
    assert alice.check_password(PASSWORD)


class TestPrograms:
    @pytest.fixture
    def writer(self) -> Program:
        return make_program("a-program", "accounts:read", "accounts:write", "followers:write",
                            "privacy:write", default_scopes="privacy:write")  # fmt: skip

    @pytest.mark.parametrize("scope", ["accounts:write", "followers:write", "privacy:write", ""])
    def test_a_writing_scope_is_not_even_offered_to_an_old_session(
        self, old_session: Client, writer: Program, scope: str
    ) -> None:
        answer = ask(old_session, scope)

        assert answer["Location"].startswith("/auth/reauthenticate/?next=/identity/o/authorize")

    @pytest.mark.parametrize("scope", ["followers:read", "accounts:read followers:read"])
    def test_nor_is_what_would_hand_out_the_lists_for_months(
        self, old_session: Client, program: Program, scope: str
    ) -> None:
        answer = ask(old_session, scope)

        assert answer["Location"].startswith("/auth/reauthenticate/?next=/identity/o/authorize")

    def test_it_is_not_granted_when_the_session_grew_old_over_the_page(
        self, old_session: Client, writer: Program
    ) -> None:
        _prove(old_session)
        page = ask(old_session, "privacy:write")
        grow_old(old_session)

        answer = old_session.post(
            "/identity/o/authorize",
            {
                "action": "grant",
                "scopes": ["privacy:write"],
                "request": page.context["form"]["request"].value(),
            },
        )

        assert answer["Location"].startswith("/auth/reauthenticate/?next=/identity/o/authorize")
        assert "code=" not in answer["Location"].partition("?next=")[0]
        _prove(old_session)
        assert "code" in told(grant(old_session, "privacy:write"))

    def test_the_way_back_asks_for_the_very_same(
        self, old_session: Client, writer: Program
    ) -> None:
        there = ask(old_session, "privacy:write")["Location"]

        back = old_session.post(there, {"password": PASSWORD, "next": _next(there)})["Location"]

        page = old_session.get(back)
        assert page.status_code == 200
        answer = old_session.post(
            "/identity/o/authorize",
            {
                "action": "grant",
                "scopes": ["privacy:write"],
                "request": page.context["form"]["request"].value(),
            },
        )
        assert told(answer)["state"] == "xyz"
        assert redeem(told(answer)["code"]).json()["scope"] == "privacy:write"

    def test_a_program_can_ask_for_proof_of_a_member_who_has_only_instagram(
        self, by_instagram: Client, sandbox: Sandbox, writer: Program
    ) -> None:
        there = ask(by_instagram, "accounts:read", prompt="login")["Location"]

        assert there.startswith(sandbox.base_url)
        back = come_back(by_instagram, sandbox.authorize(there, "ada"))["Location"]
        assert "code_challenge=" in back
        assert by_instagram.get(back).status_code == 200

    def test_reading_is_granted_by_a_tick(self, old_session: Client, writer: Program) -> None:
        assert "code" in told(grant(old_session, "accounts:read"))

    @pytest.mark.parametrize("form", ["client_id=a-program&scope=privacy:write",
                                      "client_id=a-program"])  # fmt: skip
    def test_nor_is_a_device_let_in(self, old_session: Client, writer: Program, form: str) -> None:
        writer.set_grant_types([Program.GrantType.DEVICE_CODE])
        writer.save()
        codes = Client().post("/identity/o/api/device/code", form,
                              content_type="application/x-www-form-urlencoded").json()  # fmt: skip

        answer = old_session.post(f"/identity/o/device?code={codes['user_code']}",
                               {"action": "confirm"})  # fmt: skip

        assert answer["Location"].startswith("/auth/reauthenticate/")
        exchange(grant_type=Program.GrantType.DEVICE_CODE, device_code=codes["device_code"])
        assert not Token.objects.exists()


class TestWhatGoesOnAfterTheSession:
    """A folder brings lists for as long as it is watched; a name that is kept out stays out."""

    @pytest.mark.parametrize("act", ["folder", "folder/drive"])
    def test_no_folder_is_watched_by_an_old_session(
        self, old_session: Client, account: LinkedAccount, settings: Settings, act: str
    ) -> None:
        settings.GOOGLE_CLIENT_ID = "of-a-test"
        form = {"url": "webdavs://thief.example/x", "username": "t", "password": "of-the-folder"}

        answer = old_session.post(f"/accounts/{account.pk}/{act}/", form)

        page = f"/accounts/{account.pk}/settings/"
        assert answer["Location"].startswith("/auth/reauthenticate/?next=" + page)
        assert not WatchedFolder.objects.exists()
        kept = str([each.get_decoded() for each in Session.objects.all()])
        assert "of-the-folder" not in kept

    def test_nor_is_the_members_name_taken_out_of_everybodys_lists(
        self, old_session: Client, account: LinkedAccount
    ) -> None:
        answer = old_session.post(f"/privacy/keep-out/{account.pk}/")

        assert answer["Location"].startswith("/auth/reauthenticate/?next=/privacy/")
        assert not SuppressedPerson.objects.exists()


def _next(url: str) -> str:
    return parse_qs(urlsplit(url).query)["next"][0]


def _routes(patterns: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """(name, or pattern where it has none; pattern) of every route."""
    for each in patterns:
        here = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, here)
        elif isinstance(each, URLPattern):
            yield each.name or here, here


def _under_auth() -> dict[str, str]:
    routes = dict(_routes(get_resolver().url_patterns))
    return {name: route for name, route in routes.items() if route.startswith("auth/")}


class TestEveryRoute:
    def test_somebody_has_decided_about_each_page_of_allauths(self) -> None:
        decided = [*auth_routes.GUARDED, *auth_routes.GUARDED_CHANGES, *auth_routes.OPEN]

        assert len(decided) == len(set(decided))
        assert set(_under_auth()) == set(decided)
        assert all(auth_routes.OPEN.values())

    @pytest.mark.parametrize("name", sorted(auth_routes.GUARDED | auth_routes.GUARDED_CHANGES))
    def test_what_changes_a_credential_is_behind_fresh_proof(
        self, old_session: Client, name: str
    ) -> None:
        path = "/" + re.sub(r"<int:pk>", "1", _under_auth()[name])

        answers = [old_session.post(path)]
        if name in auth_routes.GUARDED:
            answers.append(old_session.get(path))

        for answer in answers:
            assert answer["Location"].startswith("/auth/reauthenticate/?next=")

    def test_an_old_address_of_allauths_still_leads_on(self, old_session: Client) -> None:
        assert old_session.get("/auth/social/connections/")["Location"] == "/auth/3rdparty/"

    def test_a_page_that_nobody_has_decided_about_is_guarded(self) -> None:
        assert auth_routes.requires_reauthentication("mfa_something_new", "GET")
