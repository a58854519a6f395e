"""The log is read by machines and kept for weeks: it says whose a line is, and holds no secret."""

from __future__ import annotations

import json
import logging
import sys
import threading
from threading import Thread
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django_q.signals import post_execute_in_worker, pre_execute
from pytest_django import Settings

from accounts import log_context
from accounts.models import LinkedAccount, User
from followersync import tasks
from followersync.services.sync import thread_pool
from tests.support.log_watch import Watch
from threadsite import environment, logs
from threadsite.logs import EventFormatter, LineFormatter, route_of, without_secrets

TOKEN = "IGAA" + "x7Gh_-" * 20


def event(message: str = "it happened", *args: Any, **more: Any) -> dict[str, Any]:
    """What one record becomes, read back."""
    record = logging.LogRecord("some.where", logging.ERROR, "file.py", 1, message, args, None)
    record.__dict__.update(more)
    line = EventFormatter().format(record)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def failed(error: Exception) -> dict[str, Any]:
    """The event of an error that was raised."""
    try:
        raise error
    except Exception:
        return event(exc_info=sys.exc_info())


class TestEvents:
    def test_a_line_is_one_event(self) -> None:
        found = event("two\nlines of %s", "text")

        assert found["message"] == "two\nlines of text"
        assert (found["level"], found["logger"]) == ("ERROR", "some.where")
        assert found["time"].endswith("+00:00")

    def test_a_traceback_stands_inside(self) -> None:
        found = failed(ValueError("no such thing"))

        assert found["error"] == "ValueError"
        assert found["traceback"].startswith("Traceback (most recent call last):\n")
        assert found["traceback"].endswith("ValueError: no such thing")

    def test_what_is_around_is_named(self) -> None:
        with log_context.about(request="5f0c"), log_context.about(run=12):
            found = event()

        assert (found["request"], found["run"]) == ("5f0c", 12)
        assert "run" not in event()

    def test_a_person_at_a_terminal_reads_a_line(self) -> None:
        record = logging.LogRecord("some.where", logging.INFO, "f.py", 1, "done", (), None)
        with log_context.about(run=12):
            line = LineFormatter().format(record)

        assert line.endswith("INFO some.where: done run=12")

    def test_another_form_stops_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOG_FORMAT", "xml")

        with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT must be one of json, line"):
            environment.choice("LOG_FORMAT", "json", "line")


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            f"GET /me?access_token={TOKEN}&fields=id",
            f"the token {TOKEN} was refused",
            "Authorization: Bearer aB3-_x.y~z",
            "{'code': 'abc123def', 'state': 'xyz789'}",
            "POST client_secret=s3cr3t-s3cr3t",
            '{"refresh_token": "r3fr3sh-t0k3n"}',
        ],
    )
    def test_what_a_library_says_of_a_secret_is_left_out(self, text: str) -> None:
        said = without_secrets(text)

        assert "…" in said
        for secret in (TOKEN, "aB3-_x", "abc123def", "xyz789", "s3cr3t", "r3fr3sh"):
            assert secret not in said

    @pytest.mark.parametrize(
        "text", ["status code 200", "run 5 failed: retry_later", "3 states, code of conduct"]
    )
    def test_plain_words_stay(self, text: str) -> None:
        assert without_secrets(text) == text

    @pytest.mark.django_db
    def test_a_row_that_the_database_refuses_is_not_printed(self, followed: LinkedAccount) -> None:
        """It would name a follower."""
        statement = (
            "INSERT INTO followersync_follower (account_id, key, place, source, sure, username)"
            " VALUES (%s, 1, 1, 1, true, 'somebody.there'), (%s, 1, 1, 1, true, 'somebody.there')"
        )
        with (
            pytest.raises(IntegrityError) as refused,
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, [followed.pk, followed.pk])
        assert "DETAIL" in str(refused.value)

        found = failed(refused.value)

        assert "duplicate key value" in found["traceback"]
        assert "DETAIL" not in found["traceback"]


class TestRequests:
    def events(self, caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
        return [vars(each)["event"] for each in caplog.records if "event" in vars(each)]

    def test_a_request_is_one_event_with_its_route(
        self, as_alice: Client, account: LinkedAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        as_alice.get(reverse("account", args=[account.pk]))

        (found,) = self.events(caplog)
        assert found["method"] == "GET"
        assert found["route"] == "/accounts/<int:account_id>/"
        assert (found["status"], found["account"]) == (200, account.pk)
        assert found["ms"] > 0

    @pytest.mark.parametrize(
        "path", ["/auth/password/reset/key/5-abc123-def456/", "/deletion/secret-code/", "/no/key9/"]
    )
    def test_a_path_that_holds_a_key_is_not_printed(
        self, client: Client, db: None, caplog: pytest.LogCaptureFixture, path: str
    ) -> None:
        """Whoever reads the log could set the member's password with it."""
        caplog.set_level("INFO")
        client.get(path)

        lines = [EventFormatter().format(record) for record in caplog.records]
        assert lines
        assert not [line for line in lines if path.split("/")[-2] in line]

    def test_the_answer_carries_the_id_of_its_lines(self, client: Client, db: None) -> None:
        first, second = (client.get("/imprint/")["X-Request-ID"] for _ in range(2))

        assert len(first) == 16
        assert first != second

    def test_a_proxys_id_is_taken_over_where_there_is_one(
        self, client: Client, db: None, settings: Settings
    ) -> None:
        given = {"X-Request-ID": "proxy-0123456789"}
        assert client.get("/imprint/", headers=given)["X-Request-ID"] != "proxy-0123456789"

        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

        assert client.get("/imprint/", headers=given)["X-Request-ID"] == "proxy-0123456789"
        broken = {"X-Request-ID": 'x" level="fake'}
        assert client.get("/imprint/", headers=broken)["X-Request-ID"] != 'x" level="fake'

    def test_health_checks_leave_no_line(
        self, client: Client, db: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        client.get("/healthz")

        assert self.events(caplog) == []

    def test_an_address_that_was_not_looked_up_has_no_route(self, rf: Any) -> None:
        assert route_of(rf.get("/some/path/")) == "an unknown address"


@pytest.mark.django_db
class TestTasksAndRuns:
    def test_a_task_of_the_queue_is_named(self) -> None:
        pre_execute.send(sender="django_q", func=print, task={"id": "a1b2", "func": "some.task"})
        try:
            assert event()["task"] == "a1b2"
        finally:
            post_execute_in_worker.send(sender="django_q", func=print, task={})

        assert "task" not in event()

    @pytest.mark.django_db
    def test_a_run_is_named_in_a_task_of_its_own_and_among_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[Any] = []

        def advance(run_id: int) -> bool:
            seen.append(log_context.fields().get("run"))
            return False

        monkeypatch.setattr("followersync.services.sync.runs.advance", advance)

        tasks.advance_run(7)
        thread_pool.advance_all([8, 9])

        assert seen[0] == 7
        assert sorted(seen[1:]) == [8, 9]

    def test_a_thread_that_dies_leaves_an_event(self, caplog: pytest.LogCaptureFixture) -> None:
        error = ValueError("in a thread")
        thread = Thread(name="some thread")

        logs.log_thread_error(threading.ExceptHookArgs((ValueError, error, None, thread)))

        (record,) = [each for each in caplog.records if each.name == "threadsite.logs"]
        assert record.exc_info is not None
        assert "some thread" in record.getMessage()


class TestTheWatch:
    """What looks at the whole suite's log must find what it looks for."""

    def said(self, watch: Watch, line: str) -> list[str]:
        watch.handle(logging.LogRecord("x", logging.INFO, "f.py", 1, line, (), None))
        return watch.leaked()

    def test_it_finds_a_stored_secret(self) -> None:
        watch = Watch()
        watch.note("a-secret-of-some-length")

        assert self.said(watch, "it is a-secret-of-some-length")

    @pytest.mark.django_db
    def test_it_finds_a_follower(self, followed: LinkedAccount) -> None:
        from tests.support.sync import write

        write(followed, people=[(5, "some.follower")])

        assert self.said(Watch(), "lost @some.follower today")
        assert not self.said(Watch(), "nobody of them")

    @pytest.mark.usefixtures("mailoutbox")
    def test_it_finds_a_key_that_was_mailed(self, alice: User) -> None:
        from django.core.mail import send_mail

        send_mail("Hi", "https://x/auth/password/reset/key/5-k3y/", None, ["a@example.org"])

        assert self.said(Watch(), "GET /auth/password/reset/key/5-k3y/")
