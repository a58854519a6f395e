"""What a program, or whoever stole something from one, must not get without the member's grant."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.idp.oidc.internal.oauthlib.server import get_server
from allauth.idp.oidc.models import Client as Program
from allauth.idp.oidc.models import Token
from django.db import connection
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.models import User
from accounts.services import oauth, programs, quotas
from tests.support.clock import Clock
from tests.support.oauth import (
    CHALLENGE,
    REDIRECT,
    SECRET,
    VERIFIER,
    ask,
    exchange,
    grant,
    make_program,
    new_key,
    redeem,
    renew,
    tokens,
    told,
)

SCOPES = "accounts:read followers:read"


@pytest.fixture
def other(db: None) -> Program:
    """A program that Alice never granted anything."""
    return make_program("other", "openid", "accounts:read", "followers:read", "privacy:write")


@pytest.fixture(autouse=True)
def _key(settings: Settings) -> None:
    settings.IDP_OIDC_PRIVATE_KEY = new_key()


def works(given: dict[str, Any]) -> bool:
    """Does the API still take the access token?"""
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {given['access_token']}"}
    return Client().get("/api/v1/me/", **bearer).status_code == 200


class TestWithoutAPage:
    """`prompt=none`"""

    @pytest.mark.parametrize("scope", ["openid accounts:read", "accounts:read"])
    def test_a_grant_to_one_program_is_none_to_another(
        self, as_alice: Client, program: Program, other: Program, scope: str
    ) -> None:
        tokens(as_alice, scope)

        answer = ask(as_alice, scope, client_id="other", prompt="none")

        assert told(answer) == {**told(answer), "error": "consent_required", "state": "xyz"}
        assert "code" not in told(answer)

    def test_a_token_of_the_command_line_is_no_grant_to_a_program(
        self, as_alice: Client, alice: User, other: Program
    ) -> None:
        programs.issue_token(user=alice, scopes=["privacy:write"])

        answer = ask(as_alice, "openid privacy:write", client_id="other", prompt="none")

        assert told(answer)["error"] == "consent_required"

    @pytest.mark.parametrize("scope", ["openid accounts:read", "accounts:read"])
    def test_who_is_not_signed_in_is_told_so(
        self, client: Client, program: Program, scope: str
    ) -> None:
        assert told(ask(client, scope, prompt="none"))["error"] == "login_required"

    def test_more_than_was_granted_is_asked_for_anew(
        self, as_alice: Client, program: Program
    ) -> None:
        tokens(as_alice, "accounts:read")

        assert told(ask(as_alice, SCOPES, prompt="none"))["error"] == "consent_required"

    def test_a_grant_that_was_taken_back_or_has_ended_is_none(
        self, as_alice: Client, alice: User, program: Program
    ) -> None:
        tokens(as_alice, "accounts:read")
        programs.revoke_program(user=alice, client_id=program.pk)

        assert told(ask(as_alice, "accounts:read", prompt="none"))["error"] == "consent_required"

    def test_a_grant_for_one_address_is_none_for_all(
        self, as_alice: Client, program: Program
    ) -> None:
        """RFC 8707: the member let the program use one part of the API."""
        tokens(as_alice, "accounts:read", resource="https://testserver/api/v1/me")

        answer = ask(as_alice, "accounts:read", prompt="none")

        assert told(answer)["error"] == "consent_required"

    @pytest.mark.parametrize("scope", ["openid accounts:read", "accounts:read"])
    def test_the_very_program_gets_what_it_was_granted(
        self, as_alice: Client, program: Program, scope: str
    ) -> None:
        tokens(as_alice, scope)

        answer = ask(as_alice, scope, prompt="none")

        assert redeem(told(answer)["code"]).json()["scope"].split() == scope.split()

    def test_none_stands_alone(self, as_alice: Client, program: Program) -> None:
        tokens(as_alice, "accounts:read")

        answer = ask(as_alice, "accounts:read", prompt="none consent")

        assert told(answer)["error"] == "invalid_request"

    @pytest.mark.parametrize("claims", ["[1]", '{"a":', "[" * 100_000])
    @pytest.mark.parametrize("prompt", ["", "none"])
    def test_claims_that_are_no_object_are_an_error_and_no_500(
        self, as_alice: Client, program: Program, claims: str, prompt: str
    ) -> None:
        answer = ask(as_alice, "openid", claims=claims, prompt=prompt)

        assert told(answer)["error"] == "invalid_request"


class TestTheGrant:
    def test_nothing_is_ticked_in_advance(self, as_alice: Client, program: Program) -> None:
        page = ask(as_alice, SCOPES).content.decode()

        assert 'type="checkbox"' in page
        assert " checked" not in page

    def test_a_press_without_a_tick_grants_nothing(
        self, as_alice: Client, program: Program
    ) -> None:
        page = ask(as_alice, SCOPES)
        request = page.context["form"]["request"].value()

        answer = as_alice.post("/identity/o/authorize", {"action": "grant", "request": request})

        assert answer.status_code == 200
        assert "Choose at least one permission." in answer.content.decode()

    def test_no_registration_skips_the_members_grant(
        self, as_alice: Client, program: Program
    ) -> None:
        Program.objects.update(skip_consent=True)

        assert ask(as_alice, "accounts:read").status_code == 200

    @pytest.mark.parametrize("response_type", ["token", "id_token", "code token", "none"])
    def test_no_token_ever_stands_in_an_address(
        self, as_alice: Client, program: Program, response_type: str
    ) -> None:
        Program.objects.update(response_types="code\ntoken\nid_token\ncode token\nnone")

        answer = ask(as_alice, "openid accounts:read", response_type=response_type, nonce="n")

        assert "unauthorized_client" in answer["Location"] or "error" in told(answer)
        assert not Token.objects.exists()

    def test_a_code_kept_back_is_worthless_once_the_access_is_taken_back(
        self, as_alice: Client, alice: User, program: Program
    ) -> None:
        tokens(as_alice)
        kept_back = told(grant(as_alice, "accounts:read"))["code"]

        programs.revoke_program(user=alice, client_id=program.pk)

        assert redeem(kept_back).json()["error"] == "invalid_grant"
        anew = told(grant(as_alice, "accounts:read"))["code"]
        assert redeem(anew).status_code == 200

    def test_a_program_has_no_token_of_its_own(self, db: None) -> None:
        made = make_program("alone", type=Program.Type.CONFIDENTIAL)
        made.set_grant_types(["client_credentials"])
        made.save()

        answer = exchange(client_id="alone", client_secret=SECRET, grant_type="client_credentials")

        assert answer.status_code == 400
        assert not Token.objects.exists()


class TestWrongSecrets:
    """To compare a program's secret costs as much as to compare a password."""

    @pytest.mark.parametrize("where", ["token", "revoke"])
    @pytest.mark.parametrize("by_header", [False, True])
    def test_are_compared_a_few_times_and_then_refused_unread(
        self, db: None, settings: Settings, where: str, by_header: bool
    ) -> None:
        make_program("large", type=Program.Type.CONFIDENTIAL)
        told = [self.guess(where, by_header, "127.0.3.1") for _attempt in range(40)]

        assert told == [401] * 30 + [429] * 10
        assert self.guess(where, by_header, "127.0.3.2") == 401

    def guess(self, where: str, by_header: bool, network: str) -> int:
        given = {"client_id": "large", "client_secret": "wrong"}
        header = {"Authorization": "Basic " + base64.b64encode(b"large:wrong").decode()}
        form = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}
        answer = Client(REMOTE_ADDR=network).post(
            f"/identity/o/api/{where}",
            form if by_header else form | given,
            headers=header if by_header else {},
        )
        return int(answer.status_code)

    def test_right_ones_are_not_counted(self, as_alice: Client) -> None:
        made = make_program("large", type=Program.Type.CONFIDENTIAL)
        code = told(grant(as_alice, "accounts:read", client_id=made.pk))["code"]
        given = redeem(code, client_id=made.pk, client_secret=SECRET).json()
        for _time in range(35):
            renewed = renew(given["refresh_token"], client_id=made.pk, client_secret=SECRET)
            given = renewed.json()

        assert renewed.status_code == 200


class TestRedirects:
    @pytest.mark.parametrize(
        "address",
        [
            f"{REDIRECT}?added=1",
            f"{REDIRECT}/",
            "https://PROGRAM.example/back",
            "https://user@program.example/back",
            "https://sub.program.example/back",
            "http://127.0.0.1:9999/back",
            f"{REDIRECT}#fragment",
        ],
    )
    def test_only_the_registered_address_to_the_letter(
        self, as_alice: Client, program: Program, address: str
    ) -> None:
        program.allow_uri_wildcards = True
        program.set_redirect_uris([REDIRECT, "https://*.program.example/back",
                                   "http://127.0.0.1:8000/back"])  # fmt: skip
        program.save()

        answer = ask(as_alice, "accounts:read", redirect_uri=address)

        assert "Location" not in answer
        assert 'name="scopes"' not in answer.content.decode()

    def test_signing_out_leads_to_a_registered_address_alone(
        self, client: Client, program: Program
    ) -> None:
        where = "/identity/o/logout?client_id=a-program&post_logout_redirect_uri="

        refused = client.get(f"{where}https://program.example/elsewhere")

        assert "Location" not in refused
        assert client.get(f"{where}{REDIRECT}")["Location"] == REDIRECT


class TestPkce:
    @pytest.mark.parametrize("kind", [Program.Type.PUBLIC, Program.Type.CONFIDENTIAL])
    @pytest.mark.parametrize(
        "challenge",
        [
            {"code_challenge": "", "code_challenge_method": ""},
            {"code_challenge": CHALLENGE, "code_challenge_method": ""},
            {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        ],
        ids=["none", "no method", "plain"],
    )
    def test_every_program_uses_s256(
        self, as_alice: Client, program: Program, kind: str, challenge: dict[str, str]
    ) -> None:
        Program.objects.update(type=kind)

        answer = ask(as_alice, "accounts:read", **challenge)

        assert told(answer)["error"] == "invalid_request"

    def test_a_confidential_program_proves_both_its_secret_and_the_verifier(
        self, as_alice: Client, program: Program
    ) -> None:
        Program.objects.update(type=Program.Type.CONFIDENTIAL)
        code = told(grant(as_alice, "accounts:read"))["code"]
        form = {"grant_type": "authorization_code", "code": code}

        assert exchange(**form, client_secret=SECRET).status_code == 400
        assert exchange(**form, code_verifier=VERIFIER).status_code == 401
        assert redeem(code, client_secret=SECRET).status_code == 200


class TestUsedTwice:
    def test_a_code_used_twice_ends_everything_that_came_of_it(
        self, as_alice: Client, program: Program
    ) -> None:
        code = told(grant(as_alice, "accounts:read"))["code"]
        first = redeem(code).json()
        second = renew(first["refresh_token"]).json()
        assert works(second)

        assert redeem(code).json()["error"] == "invalid_grant"

        assert not works(first)
        assert not works(second)
        assert renew(second["refresh_token"]).status_code == 400

    def test_an_old_refresh_token_ends_the_family_of_whoever_has_the_new_one(
        self, as_alice: Client, program: Program
    ) -> None:
        first = tokens(as_alice)
        stolen = renew(first["refresh_token"]).json()
        again = renew(stolen["refresh_token"]).json()

        assert renew(first["refresh_token"]).json()["error"] == "invalid_grant"

        assert not any(map(works, (first, stolen, again)))
        assert not Token.objects.exists()

    def test_another_grant_of_the_same_program_lives_on(
        self, as_alice: Client, program: Program
    ) -> None:
        phone, laptop = tokens(as_alice), tokens(as_alice)
        renew(phone["refresh_token"])

        renew(phone["refresh_token"])

        assert works(laptop)
        assert renew(laptop["refresh_token"]).status_code == 200

    def test_a_stranger_ends_nothing_with_made_up_values_or_in_another_name(
        self, as_alice: Client, program: Program, other: Program
    ) -> None:
        first = tokens(as_alice)
        spent = first["refresh_token"]
        second = renew(spent).json()

        family = spent.partition(".")[0]
        assert renew(f"{family}.made-up.signature").status_code == 400
        assert renew(spent, client_id="other").status_code == 400

        assert works(second)

    def test_a_program_revokes_its_own_tokens_and_nobody_elses(
        self, as_alice: Client, program: Program, other: Program
    ) -> None:
        given = tokens(as_alice)

        def revoke(client_id: str) -> None:
            Client().post(
                "/identity/o/api/revoke",
                {"client_id": client_id, "token": given["refresh_token"]},
            )

        revoke("other")
        assert works(given)
        revoke("a-program")
        assert not works(given)

    def test_each_credential_of_a_request_has_it_wait(self) -> None:
        """A made-up one beside the real one would otherwise stand for both."""
        real = {"grant_type": "refresh_token", "refresh_token": oauth._refresh_token("a-family")}

        assert "a-family" in oauth.credential_families({**real, "code": "made-up"})
        device = {"device_code": "real", "code": "made-up"}
        assert oauth.family_of_code("real") in oauth.credential_families(device)

    @pytest.mark.django_db(transaction=True)
    def test_a_code_sent_many_times_at_once_leaves_nobody_a_token(
        self, as_alice: Client, program: Program
    ) -> None:
        code = told(grant(as_alice, "accounts:read"))["code"]
        answers: list[int] = []

        def send() -> None:
            answers.append(redeem(code).status_code)
            connection.close()

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(answers) == [200, 400, 400, 400]
        assert not Token.objects.exists()


def test_allauths_servers_use_our_rules(rf: RequestFactory) -> None:
    """They are put in place by name: an allauth that moves it must not go unnoticed."""
    assert isinstance(get_server().request_validator, oauth.RequestValidator)


def test_what_is_published_says_what_is_taken(client: Client, db: None) -> None:
    document = client.get("/.well-known/openid-configuration").json()

    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert "client_credentials" not in document["grant_types_supported"]


class TestADevice:
    @pytest.fixture
    def device(self, program: Program) -> Program:
        program.set_scopes(["accounts:read", "privacy:write"])
        program.set_default_scopes(["accounts:read"])
        program.set_grant_types([Program.GrantType.DEVICE_CODE, "refresh_token"])
        program.save()
        return program

    def _codes(self, form: str = "client_id=a-program&scope=accounts:read") -> dict[str, str]:
        return dict(self._ask_for_codes(form).json())

    def _ask_for_codes(self, form: str) -> Any:
        return Client().post(
            "/identity/o/api/device/code",
            form,
            content_type="application/x-www-form-urlencoded",
        )

    def _let_in(self, browser: Client, codes: dict[str, str]) -> Any:
        where = f"/identity/o/device?code={codes['user_code']}"
        return browser.post(where, {"action": "confirm"})

    def _redeem(self, codes: dict[str, str], **more: str) -> Any:
        form = {"grant_type": Program.GrantType.DEVICE_CODE, "device_code": codes["device_code"]}
        return exchange(**form, **more)

    def test_its_code_used_twice_ends_what_came_of_it(
        self, as_alice: Client, device: Program
    ) -> None:
        codes = self._codes()
        self._let_in(as_alice, codes)
        given = self._redeem(codes).json()
        assert works(given)

        assert self._redeem(codes).json()["error"] == "invalid_grant"

        assert not works(given)

    def test_it_gets_no_more_than_the_member_was_shown(
        self, as_alice: Client, device: Program
    ) -> None:
        codes = self._codes("client_id=a-program")
        self._let_in(as_alice, codes)

        assert self._redeem(codes, scope="privacy:write").json()["scope"] == "accounts:read"

    def test_the_member_reads_what_it_may_do(self, as_alice: Client, device: Program) -> None:
        code = self._codes()["user_code"]

        page = as_alice.get("/identity/o/device", {"code": code}).content.decode()

        assert "A program" in page
        assert "linked accounts" in page

    def test_a_device_code_kept_back_is_worthless_too(
        self, as_alice: Client, alice: User, device: Program
    ) -> None:
        used, kept_back, anew = self._codes(), self._codes(), self._codes()
        self._let_in(as_alice, used)
        self._let_in(as_alice, kept_back)
        self._redeem(used)

        programs.revoke_program(user=alice, client_id=device.pk)

        assert self._redeem(kept_back).json()["error"] == "invalid_grant"
        self._let_in(as_alice, anew)
        assert self._redeem(anew).status_code == 200

    def test_strangers_ask_for_a_few_codes_at_a_time(
        self, device: Program, monkeypatch: pytest.MonkeyPatch, clock: Clock
    ) -> None:
        quota = quotas.Quota(3, timedelta(hours=1))
        monkeypatch.setitem(quotas.VISITOR_QUOTAS, "device_code", quota)

        answers = [self._ask_for_codes("client_id=a-program") for _time in range(5)]

        assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
        assert answers[3]["Retry-After"] == "1200"

    def test_another_sites_form_lets_no_device_in(self, alice: User, device: Program) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

        answer = self._let_in(browser, self._codes())

        assert answer.status_code == 403


def test_the_forms_policy_names_the_address_that_was_asked_for(
    as_alice: Client, program: Program
) -> None:
    """A program may have several; Chromium would stop the way back to any other than the first."""
    program.set_redirect_uris(["https://first.example/", REDIRECT])
    program.save()

    policy = ask(as_alice, "accounts:read")["Content-Security-Policy"]

    assert urlsplit(REDIRECT).netloc in policy
    assert "first.example" not in policy
