"""The doors that anybody may try: they shut nobody out, and tell nothing about anybody."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.contrib.messages import get_messages
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.models import LinkedAccount, User
from accounts.services.erasure.identifiers import words_of_member
from tests.support.factories import PASSWORD, MemberFactory
from tests.support.hashing import CountedHasher

DEEP = "[" * 100_000 + "]" * 100_000
pytestmark = pytest.mark.django_db


class TestWrongPasswords:
    @pytest.mark.parametrize("login", ["alice", "alice@example.org"])
    def test_from_one_address_do_not_lock_the_owner_out_at_another(
        self, alice: User, login: str
    ) -> None:
        for _attempt in range(8):
            tried = sign_in(Client(REMOTE_ADDR="127.0.0.5"), login, "wrong")
            assert tried.status_code == 200

        assert sign_in(Client(REMOTE_ADDR="127.0.0.6"), login).status_code == 302

    def test_from_one_address_end_there(self, alice: User) -> None:
        guesser = Client(REMOTE_ADDR="127.0.0.5")
        for _attempt in range(8):
            sign_in(guesser, "alice", "wrong")

        assert sign_in(guesser, "alice").status_code == 200

    def test_within_one_network_of_ipv6_count_together(self, alice: User) -> None:
        for host in range(8):
            sign_in(Client(REMOTE_ADDR=f"2001:db8::{host + 1}"), "alice", "wrong")

        assert sign_in(Client(REMOTE_ADDR="2001:db8::ff"), "alice").status_code == 200


@pytest.fixture
def hashed(settings: Settings) -> Callable[..., int]:
    """How many passwords a sign-in compares."""
    settings.PASSWORD_HASHERS = ["tests.support.hashing.CountedHasher"]

    def count(login: str, password: str = "wrong") -> int:
        before = CountedHasher.calls
        sign_in(Client(REMOTE_ADDR=f"127.0.0.{next(_networks)}"), login, password)
        return CountedHasher.calls - before

    return count


_networks = itertools.count(10)


class TestWhatASignInCosts:
    """A password's hash is made to be slow: whoever makes us compare many holds the site."""

    def claim(self, email: str, times: int) -> None:
        for _time in range(times):
            member = MemberFactory(email=email)
            EmailAddress.objects.create(user=member, email=email, primary=True)

    def test_an_address_that_many_claim_costs_no_more_than_any_other(
        self, hashed: Callable[..., int]
    ) -> None:
        self.claim("often@example.org", 12)

        assert hashed("often@example.org") <= 4

    def test_costs_the_same_whether_the_address_is_registered_or_not(
        self, hashed: Callable[..., int]
    ) -> None:
        self.claim("once@example.org", 1)
        self.claim("twice@example.org", 2)
        confirmed = MemberFactory(email="confirmed@example.org")
        EmailAddress.objects.create(user=confirmed, email=confirmed.email, verified=True)
        self.claim("confirmed@example.org", 1)

        names = ("nobody", "once", "twice", "confirmed")
        costs = {name: hashed(f"{name}@example.org") for name in names}

        assert len(set(costs.values())) == 1, costs

    def test_costs_a_newcomer_the_same_whoever_else_claims_their_address(
        self, hashed: Callable[..., int]
    ) -> None:
        newcomers = []
        for email, others in (("free@example.org", 0), ("taken@example.org", 1)):
            self.claim(email, others)
            newcomers.append(MemberFactory(email=email, password="another horse"))

        costs = [hashed(member.email, "another horse") for member in newcomers]

        assert costs[0] == costs[1]

    def test_neither_the_first_nor_the_owner_is_kept_out_by_those_who_came_after(self) -> None:
        self.claim("often@example.org", 5)
        first = User.objects.filter(email="often@example.org").earliest("pk")
        owner = User.objects.filter(email="often@example.org").order_by("pk")[2]
        for member, password in ((first, "first horse"), (owner, "owning horse")):
            member.set_password(password)
            member.save()
        EmailAddress.objects.filter(user=owner).update(verified=True)

        for member, password in ((first, "first horse"), (owner, "owning horse")):
            browser = Client()
            sign_in(browser, "often@example.org", password)
            assert browser.session["_auth_user_id"] == str(member.pk)


class TestSigningUpAgainAndAgain:
    def sign_up(self, email: str, network: str) -> int:
        form = {"email": email, "password1": "another horse"}
        browser = Client(REMOTE_ADDR=network)
        return int(browser.post("/auth/signup/", form).status_code)

    def test_for_one_address_ends_after_a_few_members(self) -> None:
        told = [self.sign_up("alice@example.org", f"127.0.1.{n}") for n in range(8)]

        assert told == [302] * 5 + [200] * 3
        assert EmailAddress.objects.filter(email="alice@example.org").count() == 5

    def test_from_one_network_ends_in_time(self) -> None:
        told = []
        for n in range(70):
            cache.clear()  # allauth's own limit counts by the minute
            told.append(self.sign_up(f"member{n}@example.org", "127.0.2.1"))

        assert told.count(302) == 60


class TestSigningUp:
    """Whoever signs up with somebody's address learns nothing, and gets nothing of theirs."""

    def test_answers_alike_whether_the_address_is_registered_or_not(self, alice: User) -> None:
        unconfirmed = MemberFactory(email="carol@example.org")
        EmailAddress.objects.create(user=unconfirmed, email=unconfirmed.email, primary=True)

        told = [
            self.all_that_is_told(email)
            for email in ("nobody@example.org", alice.email, unconfirmed.email)
        ]

        assert told[0] == told[1] == told[2]

    def all_that_is_told(self, email: str) -> list[object]:
        """Each answer on the way: signing up, the pages behind it, signing in again."""
        browser = Client()
        told: list[object] = []
        answer = browser.post("/auth/signup/", {"email": email, "password1": "another horse"})
        told += [answer.status_code, answer["Location"], "_auth_user_id" in browser.session]
        told += [self.seen(browser, path, email) for path in ("/accounts/", "/auth/email/")]
        told.append(self.seen(browser, "/settings/", email))
        again = sign_in(Client(), email, "another horse")
        return [*told, again.status_code, again.get("Location")]

    def seen(self, browser: Client, path: str, email: str) -> str:
        page = browser.get(path).content.decode().replace(email, "ADDRESS")
        page = re.sub(r"member_[a-z]{12}", "NAME", page)
        page = re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[^"]*"', "", page)
        return re.sub(r"\d+", "N", page)

    def test_tells_the_owner_by_mail_and_offers_nobody_to_confirm_it(self, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(language="de")

        Client().post("/auth/signup/", {"email": alice.email, "password1": "another horse"})

        (sent,) = mail.outbox
        assert sent.to == [alice.email]
        assert "/auth/password/reset/" in sent.body
        assert "confirm-email" not in sent.body

    def test_keeps_the_owner_s_sign_in_and_the_newcomer_s_apart(self, alice: User) -> None:
        Client().post("/auth/signup/", {"email": alice.email, "password1": "another horse"})
        newcomer = User.objects.latest("pk")
        owner, other = Client(), Client()

        sign_in(owner, alice.email)
        sign_in(other, alice.email, "another horse")

        assert owner.session["_auth_user_id"] == str(alice.pk)
        assert other.session["_auth_user_id"] == str(newcomer.pk)
        assert not EmailAddress.objects.get(user=newcomer).verified

    def test_lets_whoever_confirms_an_address_keep_it(self) -> None:
        impostor = MemberFactory(email="dora@example.org")
        EmailAddress.objects.create(user=impostor, email=impostor.email, primary=True)
        browser = Client()
        browser.post("/auth/signup/", {"email": impostor.email, "password1": "another horse"})
        (path,) = re.findall(r"http://testserver(/auth/confirm-email/\S+/)", mail.outbox[0].body)

        browser.post(path)

        owner = EmailAddress.objects.get(email=impostor.email, verified=True)
        assert owner.user != impostor

    def test_adding_an_address_tells_no_more_than_signing_up(
        self, as_alice: Client, bob: User
    ) -> None:
        told = []
        for email in ("nobody@example.org", bob.email):
            answer = as_alice.post("/auth/email/", {"action_add": "", "email": email})
            told.append((answer.status_code, answer.get("Location")))
        assert told[0] == told[1]

    def test_erasing_the_newcomer_leaves_the_owner_s_address_alone(self, alice: User) -> None:
        Client().post("/auth/signup/", {"email": alice.email, "password1": "another horse"})
        newcomer = User.objects.latest("pk")

        assert alice.email not in words_of_member(newcomer)
        newcomer.delete()
        assert alice.email in words_of_member(alice)


class TestTheSitesOwnAddress:
    """Django compares a request's host and not its port: the rest of what it says is anybody's."""

    @pytest.mark.parametrize("path", ["/auth/password/reset/", "/auth/signup/"])
    def test_stands_in_each_mail_whatever_port_the_request_named(
        self, alice: User, path: str
    ) -> None:
        form = {"password1": "another horse"}
        for email in (alice.email, "nobody@example.org"):
            Client().post(path, {**form, "email": email}, HTTP_HOST="testserver:6666")

        assert len(mail.outbox) == 2
        for sent in mail.outbox:
            assert "http://testserver/" in sent.body
            assert "6666" not in sent.body + sent.subject

    def test_stands_in_what_programs_read_of_us(self, db: None) -> None:
        answer = Client().get("/.well-known/openid-configuration", HTTP_HOST="testserver:6666")

        assert answer.json()["token_endpoint"] == "http://testserver/identity/o/api/token"
        assert "6666" not in answer.content.decode()


class TestAFormInAnotherEncoding:
    @pytest.mark.parametrize("path", ["/privacy/", "/auth/login/", "/instagram/deauthorize/"])
    @pytest.mark.parametrize("encoding", ["utf-7", "latin-1", "none-such"])
    def test_is_the_senders_fault_and_answered_so(self, db: None, path: str, encoding: str) -> None:
        """Django's own answer reads the form once more, and fails a second time."""
        kind = f"application/x-www-form-urlencoded; charset={encoding}"

        answer = Client(enforce_csrf_checks=True).generic("POST", path, b"a=1", kind)

        assert answer.status_code == 415


class TestAFormSentAfterTheSessionEnded:
    @pytest.mark.parametrize("act", ["pause", "sync", "folder/stop", "consents/followers/withdraw"])
    def test_leads_back_to_the_page_of_the_form(
        self, alice: User, account: LinkedAccount, act: str
    ) -> None:
        browser, page = Client(), f"/accounts/{account.pk}/"

        answer = browser.post(f"{page}{act}/", HTTP_REFERER=f"http://testserver{page}")

        assert self.after_signing_in(browser, answer) == (page, 200)
        account.refresh_from_db()
        assert account.state == "active"

    @pytest.mark.parametrize(
        "referer", [None, "https://elsewhere.example/", "http://testserver/settings/place/"]
    )
    def test_leads_to_the_accounts_where_the_page_is_unknown(
        self, alice: User, referer: str | None
    ) -> None:
        headers = {} if referer is None else {"HTTP_REFERER": referer}
        browser = Client()

        answer = browser.post("/settings/place/", {"language": "de"}, **headers)

        assert self.after_signing_in(browser, answer) == ("/accounts/", 200)

    def test_leads_to_the_form_itself_where_that_has_a_page(self, alice: User) -> None:
        browser = Client()

        answer = browser.post("/settings/delete/", HTTP_REFERER="http://testserver/")

        assert self.after_signing_in(browser, answer) == ("/settings/delete/", 200)

    def test_leads_staff_back_into_the_admin(self, stella: User) -> None:
        browser = Client()

        answer = browser.post("/admin/logout/", HTTP_REFERER="http://testserver/admin/")

        assert next_of(answer) == "/admin/"

    def test_says_that_it_was_not_carried_out(self, account: LinkedAccount) -> None:
        browser = Client()

        answer = browser.post(f"/accounts/{account.pk}/pause/")

        page = browser.get(answer["Location"])
        assert "not carried out" in str(*get_messages(page.wsgi_request)) or (
            "not carried out" in page.content.decode()
        )

    def after_signing_in(self, browser: Client, answer: object) -> tuple[str, int]:
        """The address to which signing in leads, and what is answered there."""
        place = next_of(answer)
        signed_in = browser.post(
            "/auth/login/", {"login": "alice", "password": PASSWORD, "next": place}
        )
        assert signed_in["Location"] == place
        return place, browser.get(place).status_code


class TestNestedJson:
    """Who sends it is told so; the site's own faults are not what it is."""

    @pytest.mark.parametrize("path", ["/auth/2fa/webauthn/login/", "/auth/login/webauthn/"])
    def test_in_a_passkey_s_form(self, client: Client, path: str) -> None:
        assert client.post(path, {"credential": DEEP}).status_code in {400, 404}

    def test_in_the_api(self, as_alice: Client, account: LinkedAccount) -> None:
        answer = as_alice.post(
            f"/api/v1/accounts/{account.pk}/sync/", DEEP, content_type="application/json"
        )
        assert answer.status_code in {400, 422}

    def test_in_a_webhook(self, client: Client) -> None:
        answer = client.post("/instagram/webhook/", DEEP, content_type="application/json")
        assert answer.status_code in {400, 403}

    def test_a_recursion_of_our_own_is_still_ours(self, client: Client, monkeypatch) -> None:
        def forever(*args: object) -> None:
            forever(*args)

        monkeypatch.setattr("accounts.views.home.render", forever)
        client.raise_request_exception = False

        assert client.get("/").status_code == 500


def sign_in(browser: Client, login: str, password: str = PASSWORD):
    return browser.post("/auth/login/", {"login": login, "password": password})


def next_of(answer: object) -> str:
    location = urlsplit(answer["Location"])  # type: ignore[index]
    assert location.path == "/auth/login/"
    return parse_qs(location.query)["next"][0]
