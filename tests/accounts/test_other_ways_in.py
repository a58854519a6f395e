"""Nobody is locked out: e-mail, passkey or second factor stand beside Instagram."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client

from accounts import selectors
from accounts.models import User
from accounts.scopes import Scope
from accounts.services import members
from tests.support.clock import Clock
from tests.support.factories import PASSWORD, MemberFactory
from tests.support.journey import link
from tests.support.sandbox import Sandbox


def _sign_up(client: Client, email: str = "ann@example.org") -> User:
    client.post("/auth/signup/", {"email": email, "password1": PASSWORD})
    return User.objects.get(email=email)


@pytest.mark.django_db
class TestByMail:
    def test_signing_up_by_mail_first_and_linking_later_is_one_member(
        self, client: Client, sandbox: Sandbox
    ) -> None:
        ann = _sign_up(client)

        link(client, sandbox, "ada", Scope.FOLLOWERS)

        assert User.objects.get() == ann
        assert selectors.accounts_of(ann).get().username == "ada"

    def test_the_address_is_asked_to_be_confirmed(self, client: Client) -> None:
        ann = _sign_up(client)
        assert selectors.needs_recovery_contact(ann)
        (path,) = re.findall(
            r"http://testserver(/auth/confirm-email/\S+/)", str(mail.outbox[0].body)
        )

        client.post(path)

        assert not selectors.needs_recovery_contact(ann)

    def test_a_member_who_came_by_instagram_can_add_an_address(
        self, client: Client, sandbox: Sandbox
    ) -> None:
        link(client, sandbox, "ada")
        member = User.objects.get()

        client.post("/auth/email/", {"action_add": "", "email": "ada@example.org"})

        assert EmailAddress.objects.get(user=member).email == "ada@example.org"
        assert selectors.needs_recovery_contact(member)


class TestTheReminder:
    def test_it_can_be_put_off_and_comes_again(self, clock: Clock, db: None) -> None:
        member: User = MemberFactory(email="")
        members.hide_reminder(user=member, days=30)

        assert not selectors.needs_recovery_contact(member)
        clock.advance(days=30, seconds=1)
        assert selectors.needs_recovery_contact(member)

    def test_a_passkey_is_enough(self, db: None) -> None:
        member: User = MemberFactory(email="")
        Authenticator.objects.create(user=member, type=Authenticator.Type.WEBAUTHN, data={})

        assert not selectors.needs_recovery_contact(member)

    def test_a_code_generator_alone_is_not(self, db: None) -> None:
        """It is a second factor, not a way in."""
        member: User = MemberFactory(email="")
        Authenticator.objects.create(user=member, type=Authenticator.Type.TOTP, data={})

        assert selectors.needs_recovery_contact(member)


class TestTheSecondFactor:
    @pytest.fixture
    def secret(self, client: Client, alice: User) -> str:
        """Alice signs in and sets up a code generator."""
        client.post("/auth/login/", {"login": "alice", "password": PASSWORD})
        client.post("/auth/reauthenticate/", {"password": PASSWORD})
        page = client.get("/auth/2fa/totp/activate/")
        secret = str(page.context["form"].secret)
        client.post("/auth/2fa/totp/activate/", {"code": self._code(secret)})
        return secret

    def _code(self, secret: str) -> str:
        counters = list(yield_hotp_counters_from_time())
        return str(format_hotp_value(hotp_value(secret, counters[0])))

    def test_its_secret_is_stored_nowhere_in_clear(self, secret: str, alice: User) -> None:
        kinds = Authenticator.objects.filter(user=alice).values_list("type", flat=True)
        assert "totp" in kinds
        rows = json.dumps(list(Authenticator.objects.values()), default=str)
        sessions = json.dumps([each.get_decoded() for each in Session.objects.all()])
        assert secret not in rows + sessions

    def test_it_is_asked_for_after_the_password(self, secret: str, alice: User) -> None:
        browser = Client()

        answer = browser.post("/auth/login/", {"login": "alice", "password": PASSWORD})

        assert answer["Location"].startswith("/auth/2fa/authenticate/")
        assert "_auth_user_id" not in browser.session

    def test_it_is_asked_for_after_instagram_too_and_only_then_is_anything_linked(
        self, secret: str, client: Client, alice: User, sandbox: Sandbox, settings: Any
    ) -> None:
        link(client, sandbox, "ada")
        (account,) = selectors.accounts_of(alice)
        browser = Client()

        answer = link(browser, sandbox, "ada", Scope.FOLLOWERS)

        assert answer["Location"].startswith("/auth/2fa/authenticate/")
        assert selectors.consents_in_force(account) == frozenset()
        stash = json.dumps([each.get_decoded() for each in Session.objects.all()])
        assert [each for each in sandbox.tokens() if each["value"] in stash] == []

        browser.post("/auth/2fa/authenticate/", {"code": self._next_code(secret)})

        assert selectors.consents_in_force(account) == {Scope.FOLLOWERS}

    def _next_code(self, secret: str) -> str:
        """Each code works once, so not the one that set it up."""
        counters = list(yield_hotp_counters_from_time())
        return str(format_hotp_value(hotp_value(secret, counters[-1])))
