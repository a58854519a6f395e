"""A stolen backup opens nothing: no code, token, password or session can be read out of it."""

from __future__ import annotations

import base64
import pickle
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client as Program
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts import caches as our_caches
from accounts import clock
from accounts.models import User
from accounts.scopes import Scope
from accounts.services import keys, programs
from accounts.sessions import SessionStore, signed
from tests.support import leaks, leaving
from tests.support.factories import PASSWORD
from tests.support.journey import link, tick
from tests.support.oauth import SECRET, VERIFIER, ask, grant, make_program, new_key, redeem, told
from tests.support.retention import apply_retention
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db


def _row(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


class TestAStolenBackup:
    def test_the_search_finds_what_lies_in_keys_pickles_sessions_and_queue_payloads(
        self, alice: User
    ) -> None:
        """Otherwise the next test would prove nothing."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO threadsite_cache VALUES ('code[in-a-cache-key]', %s, now())",
                [_pickled({"code": "in-a-cache-value"})],
            )
        plain = super(SessionStore, SessionStore()).encode({"code": "in-a-session" * 20})
        Session.objects.create(session_key="k", session_data=plain, expire_date=clock.now())
        leaving.queue_task("accounts.tasks.notify_member", 1, "in-a-queue-payload")

        words = ["in-a-cache-key", "in-a-cache-value", "in-a-session", "in-a-queue-payload"]

        assert [each.split(":")[0] for each in leaks.found(words)] == [
            "django_q_ormq", "django_session", "threadsite_cache",
        ]  # fmt: skip
        assert all(leaks.found([word]) for word in words)

    def test_none_of_what_opens_something_is_in_any_table(
        self, client: Client, sandbox: Sandbox, settings: Settings
    ) -> None:
        settings.IDP_OIDC_PRIVATE_KEY = new_key()
        secrets = _everything_at_once(client, sandbox)

        assert len(secrets) > 20
        assert leaks.found(secrets) == []

    def test_a_session_s_key_out_of_the_table_is_no_cookie(self, as_alice: Client) -> None:
        (session,) = Session.objects.all()
        thief = Client()
        thief.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key

        answer = thief.get("/settings/")

        assert answer["Location"].startswith("/auth/login/")
        assert as_alice.get("/settings/").status_code == 200

    def test_a_cookie_of_another_session_or_with_a_changed_signature_is_none_either(
        self, as_alice: Client
    ) -> None:
        (session,) = Session.objects.all()
        thief = Client()
        for cookie in (signed("another") + "x", signed(session.session_key)[:-1] + "!", "", "."):
            thief.cookies[django_settings.SESSION_COOKIE_NAME] = cookie
            assert thief.get("/settings/").status_code == 302


def _pickled(value: Any) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


def _everything_at_once(client: Client, sandbox: Sandbox) -> list[str]:
    """One member in the middle of everything; all that they, or a program, were handed."""
    client.post("/auth/signup/", {"email": "ann@example.org", "password1": PASSWORD})
    ann = User.objects.get()
    EmailAddress.objects.update(verified=True)
    link(client, sandbox, "ada", Scope.FOLLOWERS)
    there = parse_qs(urlsplit(tick(client, Scope.FOLLOWERS)).query)
    stranger = Client()
    return [
        PASSWORD,
        *_sessions(client),
        *(each["value"] for each in sandbox.tokens()),
        there["state"][0],
        *_reset(stranger),
        *_sessions(stranger),
        *_second_factor(client),
        *_of_programs(client),
        programs.issue_token(user=ann, scopes=["accounts:read"]),
    ]


def _sessions(client: Client) -> list[str]:
    return [client.cookies[django_settings.SESSION_COOKIE_NAME].value]


def _reset(stranger: Client) -> list[str]:
    stranger.post("/auth/password/reset/", {"email": "ann@example.org"})
    (path,) = re.findall(r"http://testserver(/auth/password/reset/key/\S+)", mail.outbox[-1].body)
    assert stranger.get(path).status_code == 302
    return [path.rstrip("/").rpartition("-")[2], path.rpartition("/key/")[2].strip("/")]


def _second_factor(client: Client) -> list[str]:
    page = client.get("/auth/2fa/totp/activate/")
    return [str(page.context["form"].secret)]


def _of_programs(client: Client) -> list[str]:
    made = make_program("a-program")
    made.set_grant_types([*made.get_grant_types(), Program.GrantType.DEVICE_CODE])
    made.save()
    unused = told(grant(client, "openid accounts:read", nonce="a-nonce"))["code"]
    used = told(grant(client, "openid accounts:read"))["code"]
    given = redeem(used).json()
    ask(client, "openid accounts:read", prompt="none")
    device = Client().post(
        "/identity/o/api/device/code",
        "client_id=a-program&scope=accounts:read",
        content_type="application/x-www-form-urlencoded",
    )
    codes = device.json()
    client.get("/identity/o/device", {"code": codes["user_code"]})
    return [
        SECRET,
        VERIFIER,
        unused,
        used,
        given["access_token"],
        given["refresh_token"],
        given["id_token"],
        codes["device_code"],
        codes["user_code"],
        codes["user_code"].lower(),
    ]


class TestTheCache:
    def test_neither_key_nor_value_is_stored_in_clear(self) -> None:
        cache.set("code[abc123]", {"code": "def456"}, 60)

        key, value = _row("SELECT cache_key, value FROM threadsite_cache")

        assert re.fullmatch(r"[0-9a-f]{64}", key)
        assert leaks.found(["abc123", "def456"]) == []
        assert value
        assert cache.get("code[abc123]") == {"code": "def456"}

    def test_a_key_s_hash_cannot_be_guessed_without_the_site_s_secret(
        self, settings: Settings
    ) -> None:
        here = our_caches.hashed_key("user_code[abcd]", "", 1)
        settings.SECRET_KEY = "another site's, which is long enough to sign with, too"

        assert our_caches.hashed_key("user_code[abcd]", "", 1) != here

    def test_it_works_as_a_cache_does(self) -> None:
        assert cache.add("a", [1], 60)
        assert not cache.add("a", [2], 60)
        cache.set_many({"b": None, "c": 3}, 60)
        assert cache.get_many(["a", "b", "c", "d"]) == {"a": [1], "b": None, "c": 3}
        assert cache.incr("c") == 4
        assert cache.get("d", "not there") == "not there"
        assert cache.get_or_set("d", "now there") == "now there"
        cache.delete("a")
        assert cache.get("a") is None
        assert "b" in cache

    def test_what_no_key_opens_is_absent(self, settings: Settings) -> None:
        cache.set("a", "b", 60)
        settings.TOKEN_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]

        assert cache.get("a") is None

    def test_what_has_ended_is_swept_out(self) -> None:
        cache.set("ended", "code", 60)
        cache.set("live", "code", 600_000)
        with connection.cursor() as cursor:
            ended = caches["default"].make_key("ended")
            cursor.execute(
                "UPDATE threadsite_cache SET expires = %s WHERE cache_key = %s",
                [clock.now() - timedelta(minutes=1), ended],
            )

        apply_retention()

        assert _row("SELECT count(*) FROM threadsite_cache") == (1,)
        assert cache.get("live") == "code"


class TestSessions:
    def test_a_rotation_of_keys_signs_nobody_out(
        self, as_alice: Client, settings: Settings
    ) -> None:
        new = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        settings.TOKEN_KEYS = [new, *settings.TOKEN_KEYS]
        keys.rotate()
        settings.TOKEN_KEYS = [new]

        assert as_alice.get("/settings/").status_code == 200

    def test_ending_the_other_sessions_keeps_this_one(self, as_alice: Client, alice: User) -> None:
        other = Client()
        other.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
        for browser in (as_alice, other):
            assert browser.get("/settings/").status_code == 200

        as_alice.post("/auth/sessions/")

        assert as_alice.get("/settings/").status_code == 200
        assert other.get("/settings/").status_code == 302
