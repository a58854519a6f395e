"""What comes back from Instagram is believed once, here, and leaves no secret lying about."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import selectors
from accounts.models import AccessToken, ConsentEvent, LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import linking, tokens
from tests.support.journey import come_back, link, tick
from tests.support.sandbox import Sandbox


class TestABadWayBack:
    def test_a_code_used_twice_is_refused(self, as_alice: Client, sandbox: Sandbox) -> None:
        back = sandbox.authorize(tick(as_alice, Scope.FOLLOWERS), "ada")
        come_back(as_alice, back)
        code = parse_qs(urlsplit(back).query)["code"][0]
        state = parse_qs(urlsplit(tick(as_alice, Scope.FOLLOWERS)).query)["state"][0]

        answer = as_alice.get(f"/auth/instagram/login/callback/?code={code}&state={state}")

        assert answer.status_code == 401
        assert b"did not accept the sign-in code" in answer.content
        assert LinkedAccount.objects.count() == 1

    def test_the_way_back_works_once(self, as_alice: Client, sandbox: Sandbox) -> None:
        back = sandbox.authorize(tick(as_alice, Scope.FOLLOWERS), "ada")
        come_back(as_alice, back)

        assert come_back(as_alice, back).status_code == 401

    def test_a_foreign_state_is_refused(self, as_alice: Client, sandbox: Sandbox) -> None:
        """Otherwise an attacker's account could be slipped under a member's name."""
        attacker = Client()
        back = sandbox.authorize(tick(attacker, Scope.FOLLOWERS), "ada")

        answer = come_back(as_alice, back)

        assert answer.status_code == 401
        assert b"another browser" in answer.content
        assert not LinkedAccount.objects.exists()

    def test_the_fragment_pasted_along_does_no_harm(
        self, as_alice: Client, sandbox: Sandbox
    ) -> None:
        back = sandbox.authorize(tick(as_alice, Scope.FOLLOWERS), "ada")
        query = parse_qs(urlsplit(back).query)

        as_alice.get(
            "/auth/instagram/login/callback/",
            {"code": query["code"][0] + "#_", "state": query["state"][0]},
        )

        assert LinkedAccount.objects.count() == 1

    @pytest.mark.parametrize(
        "answer",
        [{"fault": "http_500"}, {"body": {"surprise": 1}}, {"error": "190_463_expired"}],
    )
    def test_a_profile_that_cannot_be_read_links_nothing(
        self, as_alice: Client, sandbox: Sandbox, answer: dict[str, Any]
    ) -> None:
        sandbox.script([answer], route="me")

        response = link(as_alice, sandbox, "ada", Scope.FOLLOWERS)

        assert response.status_code == 401
        assert not LinkedAccount.objects.exists()
        assert not ConsentEvent.objects.exists()


class TestSecrets:
    def _everything_stored(self) -> str:
        sessions = [json.dumps(each.get_decoded()) for each in Session.objects.all()]
        rows = [
            json.dumps(list(model.objects.values()), default=str)
            for model in (SocialAccount, SocialToken, AccessToken, LinkedAccount, User)
        ]
        return "\n".join(sessions + rows)

    def _assert_no_secret(self, sandbox: Sandbox) -> None:
        stored = self._everything_stored()
        issued = [each["value"] for each in sandbox.tokens()]
        assert issued
        assert [value for value in issued if value in stored] == []

    def test_no_code_and_no_token_is_in_a_session_or_table_after_linking(
        self, as_alice: Client, sandbox: Sandbox
    ) -> None:
        link(as_alice, sandbox, "ada", Scope.FOLLOWERS)

        self._assert_no_secret(sandbox)

    def test_none_is_in_the_session_of_a_sign_up_that_waits_for_a_form(
        self, client: Client, sandbox: Sandbox, db: None, settings: Any
    ) -> None:
        settings.SOCIALACCOUNT_AUTO_SIGNUP = False

        answer = link(client, sandbox, "ada", Scope.FOLLOWERS)

        assert answer["Location"] == "/auth/3rdparty/signup/"
        assert "socialaccount_sociallogin" in client.session
        self._assert_no_secret(sandbox)

    def test_such_a_sign_up_is_linked_with_its_consents_once_the_form_is_sent(
        self, client: Client, sandbox: Sandbox, db: None, settings: Any
    ) -> None:
        settings.SOCIALACCOUNT_AUTO_SIGNUP = False
        link(client, sandbox, "ada", Scope.FOLLOWERS)

        client.post("/auth/3rdparty/signup/", {"username": "ada.l", "email": "ada@example.org"})

        account = LinkedAccount.objects.get()
        assert selectors.consents_in_force(account) == {Scope.FOLLOWERS}
        assert tokens.usable_token(account.pk) in {each["value"] for each in sandbox.tokens()}
        self._assert_no_secret(sandbox)

    def test_none_is_in_the_log(
        self, as_alice: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")

        link(as_alice, sandbox, "ada", Scope.FOLLOWERS)

        assert not [each for each in sandbox.tokens() if each["value"] in caplog.text]

    def test_unlinking_takes_the_token_back_at_instagram_too(
        self,
        as_alice: Client,
        alice: User,
        sandbox: Sandbox,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        link(as_alice, sandbox, "ada", Scope.FOLLOWERS)
        account = LinkedAccount.objects.get()

        with django_capture_on_commit_callbacks(execute=True):
            linking.unlink(account=account, erase="now", channel="web", actor=alice)

        live = [each for each in sandbox.tokens() if each["kind"] == "long"]
        assert [each["refused_with"] for each in live] == ["190_458_app_removed"]
