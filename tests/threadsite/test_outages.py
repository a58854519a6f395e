"""While a part of the site is down, members and programs are told so: to wait, not that we broke.

A 500 would send a member to the operator, end a program's retries, and let Instagram give up on a
callback. The servers are really gone here, and the disk is really full.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import counters
from accounts.models import LinkedAccount, User
from followersync.models import ArchiveImport, SyncRun
from followersync.services.imports import requests
from tests.support.api import API, problem, program
from tests.support.clock import Clock
from tests.support.outage import closed_port, no_database
from threadsite import health


@pytest.fixture(autouse=True)
def as_in_life(client: Client, as_alice: Client) -> None:
    """The test client raises what a server would answer."""
    for browser in (client, as_alice):
        browser.raise_request_exception = False


@pytest.fixture
def nobody() -> Client:
    return Client(raise_request_exception=False)


def told(answer: HttpResponse) -> str:
    """Asserts that the answer is the page for an outage; its text."""
    assert answer.status_code == 503, answer.content[:300]
    assert int(answer["Retry-After"]) > 0
    assert answer["Content-Type"].startswith("text/html")
    return answer.content.decode()


@pytest.mark.django_db(transaction=True)
class TestWithoutADatabase:
    """Sessions and members are in it, so most middlewares cannot work either."""

    def test_a_member_with_a_session_reads_it_in_words(self, as_alice: Client) -> None:
        with no_database():
            text = told(as_alice.get("/accounts/"))

        assert "The site cannot reach its database at the moment." in text
        assert 'href="/accounts/">Try again' in text

    def test_a_german_browser_gets_it_in_german(self, as_alice: Client) -> None:
        with no_database():
            text = told(as_alice.get("/accounts/", headers={"Accept-Language": "de"}))

        assert '<html lang="de">' in text

    @pytest.mark.parametrize("path", ["/settings/", "/admin/", "/auth/email/", "/link/"])
    def test_no_page_of_a_member_is_a_fault(self, as_alice: Client, path: str) -> None:
        with no_database():
            told(as_alice.get(path))

    def test_a_form_leads_to_the_front_page_and_not_to_itself(self, as_alice: Client) -> None:
        with no_database():
            text = told(as_alice.post("/settings/place/", {"language": "de"}))

        assert 'href="/">Try again' in text

    def test_pages_that_need_no_database_are_served(self, nobody: Client) -> None:
        with no_database():
            assert nobody.get("/imprint/").status_code == 200

    def test_nothing_under_api_is_html_for_a_program(self, alice: User) -> None:
        caller = program(alice)
        with no_database():
            answer = caller.get(f"{API}/accounts/")

        problem(answer, 503, "database_unavailable")
        assert answer["Retry-After"] == "30"

    @pytest.mark.parametrize("path", [f"{API}/accounts/", f"{API}/nothing/", "/api/docs/"])
    def test_nor_for_a_session_whose_middlewares_fail_first(
        self, as_alice: Client, path: str
    ) -> None:
        with no_database():
            answer = as_alice.get(path)

        problem(answer, 503, "database_unavailable")
        assert answer["Retry-After"] == "30"

    @pytest.mark.parametrize(
        "path", ["/instagram/deauthorize/", "/instagram/webhook/", "/identity/o/api/token"]
    )
    def test_machines_are_asked_to_come_back(self, nobody: Client, path: str) -> None:
        form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
        with no_database():
            answer = nobody.post(path, form)

        if answer.status_code != 400 and answer.status_code != 403:  # refused unread
            assert answer.status_code == 503
            assert answer.json()["error"] == "database_unavailable"

    def test_healthz_answers_and_readyz_says_which_part(self, as_alice: Client) -> None:
        with no_database():
            assert as_alice.get("/healthz").content == b"ok"
            answer = as_alice.get("/readyz")

        assert answer.status_code == 503
        assert answer.json() == {
            "database": "unreachable",
            "migrations": "unknown",
            "cache": "unknown",
            "broker": "unknown",
            "queue": "unknown",
            "erasures": "unknown",
            "disk": "ok",
        }

    def test_a_proxy_learns_that_nobody_can_be_asked(self, as_alice: Client) -> None:
        with no_database():
            assert as_alice.get("/may-upload").status_code == 503

    @pytest.mark.parametrize("by", ["a program", "a member"])
    def test_each_request_leaves_one_line_without_a_traceback(
        self, by: str, as_alice: Client, alice: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        """There are thousands of them in an outage, and the disk may be what is full."""
        caller = program(alice) if by == "a program" else as_alice
        with no_database(), caplog.at_level(logging.WARNING):
            caller.get(f"{API}/accounts/")

        (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
        assert record.getMessage().startswith("database_unavailable: OperationalError in ")
        assert record.exc_info is None

    def test_the_next_request_works_once_it_is_back(self, as_alice: Client) -> None:
        with no_database():
            told(as_alice.get("/accounts/"))

        assert as_alice.get("/accounts/").status_code == 200


class TestWithoutRedis:
    """allauth's rate limits and OAuth codes are in it."""

    @pytest.fixture(autouse=True)
    def gone(self, settings: Settings) -> None:
        settings.CACHES = {
            "default": {
                "BACKEND": "accounts.caches.RedisCache",
                "LOCATION": f"redis://127.0.0.1:{closed_port()}",
            }
        }

    def test_signing_in_says_so_in_words(self, nobody: Client, alice: User) -> None:
        answer = nobody.post("/auth/login/", {"login": "alice", "password": "wrong"})

        assert "A service that this page needs does not answer" in told(answer)

    def test_pages_that_need_none_are_served(self, as_alice: Client) -> None:
        assert as_alice.get("/accounts/").status_code == 200

    def test_readyz_says_that_it_is_the_cache(self, nobody: Client) -> None:
        found = nobody.get("/readyz").json()

        assert (found["database"], found["cache"]) == ("ok", "unreachable")


class TestOnAFullDisk:
    @pytest.fixture(params=["as it arrives", "where it is kept"])
    def upload(
        self, request: pytest.FixtureRequest, settings: Settings, full_disk
    ) -> Callable[[], SimpleUploadedFile]:
        """An export larger than what Django keeps in memory, or a small one."""
        large = request.param == "as it arrives"
        if large:
            settings.FILE_UPLOAD_TEMP_DIR = str(full_disk)
        else:
            settings.THREADSITE_HOME = full_disk
        size = 3 << 20 if large else 300 << 10
        return lambda: SimpleUploadedFile("followers_1.json", b"[" + b" " * size + b"]")

    def test_an_upload_by_a_program_is_refused_as_an_outage(
        self, upload, alice: User, followed: LinkedAccount
    ) -> None:
        answer = program(alice).post(
            f"{API}/accounts/{followed.pk}/imports/", {"archive": upload()}, format="multipart"
        )

        problem(answer, 503, "disk_full")
        assert int(answer["Retry-After"]) > 0
        self.nothing_came_of_it(followed)

    def test_a_member_is_told_that_their_file_was_not_kept(
        self, upload, as_alice: Client, followed: LinkedAccount
    ) -> None:
        address = reverse("account-import", args=[followed.pk])

        assert "What you sent was not kept." in told(as_alice.post(address, {"archive": upload()}))
        self.nothing_came_of_it(followed)

    def test_what_did_not_fit_takes_no_room(
        self, full_disk, alice: User, followed: LinkedAccount, settings: Settings
    ) -> None:
        """Half a file would keep the disk full for everybody."""
        settings.THREADSITE_HOME = full_disk
        (full_disk / "filler").write_bytes(bytes(8192))
        file = SimpleUploadedFile("followers_1.json", b"[" + b" " * (300 << 10) + b"]")

        program(alice).post(
            f"{API}/accounts/{followed.pk}/imports/", {"archive": file}, format="multipart"
        )

        left = [path for path in full_disk.rglob("*") if path.is_file()]
        assert left == [full_disk / "filler"]

    def test_an_import_that_finds_no_room_to_read_its_archive_waits_for_a_day(
        self, full_disk, followed: LinkedAccount, settings: Settings, clock: Clock
    ) -> None:
        """Not for ever: an archive that fills the disk itself would do so again and again."""
        settings.FILES_URL = "database:"
        run = requests.request_import(
            account=followed,
            uploaded_file=SimpleUploadedFile("followers_1.json", b"[" + b" " * (300 << 10) + b"]"),
            channel="web",
            file_name="followers_1.json",
        )
        settings.THREADSITE_HOME = full_disk

        requests.advance(run.pk)

        run.refresh_from_db()
        assert (run.state, run.error_code) == ("waiting", "")
        assert run.not_before - clock.moment == timedelta(seconds=15)

        clock.advance(hours=23)
        requests.advance(run.pk)
        run.refresh_from_db()
        assert run.not_before - clock.moment == timedelta(minutes=15)

        clock.advance(hours=1)
        requests.advance(run.pk)
        run.refresh_from_db()
        assert (run.state, run.error_code) == ("failed", "import_gave_up")

    def test_readyz_says_that_it_is_the_disk(
        self, client: Client, settings: Settings, full_disk
    ) -> None:
        settings.THREADSITE_HOME = full_disk

        found = client.get("/readyz").json()

        assert (found["disk"], found["database"]) == ("full", "ok")

    def nothing_came_of_it(self, account: LinkedAccount) -> None:
        assert not SyncRun.objects.filter(account=account, mode="import").exists()
        assert not ArchiveImport.objects.filter(account=account).exists()


class TestHealth:
    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_a_balancer_asks_by_address_and_without_tls(
        self, client: Client, settings: Settings, path: str
    ) -> None:
        """It knows no host name of ours, and a redirect would not be followed."""
        settings.SECURE_SSL_REDIRECT = True

        answer = client.get(path, headers={"Host": "10.0.0.7:8000"})

        assert answer.status_code in {200, 503}
        assert "no-cache" in answer["Cache-Control"]

    def test_neither_asks_who_has_a_session(self, as_alice: Client, django_assert_num_queries):
        with django_assert_num_queries(0):
            as_alice.get("/healthz")


class TestOtherErrorsUnderApi:
    def test_a_host_name_of_somebody_elses_is_a_problem(self, client: Client) -> None:
        problem(
            client.get(f"{API}/accounts/", headers={"Host": "evil.example"}), 400, "bad_request"
        )


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_an_outage_has_broken_makes_no_host_unready() -> None:
    """Each thread has one; those that were idle meanwhile learn of it with their next request."""
    found: list[str] = []

    def idle_thread() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid = cursor.fetchone()[0]
            ended = threading.Thread(target=end, args=[pid])
            ended.start()
            ended.join()
            found.append(health.readiness()["database"])
        finally:
            connection.close()

    def end(pid: int) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        finally:
            connection.close()

    thread = threading.Thread(target=idle_thread)
    thread.start()
    thread.join()

    assert found == ["ok"]


@pytest.mark.django_db(transaction=True)
def test_counters_do_not_wait_for_the_database_with_every_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that does not answer costs three seconds each time."""
    monkeypatch.setattr(counters, "_flushed_at", 0.0)
    counters.count("runs", kind="sync", state="succeeded", code="none")
    with no_database():
        counters.flush_when_due()
    counters.flush_when_due()

    assert counters._pending, "they are kept, and nothing is asked for half a minute"
    counters.flush()
    assert not counters._pending
