"""Outgoing webhooks: signed, once per news, patient, and never into our own network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from accounts.errors import InvalidInput, RetryLater
from accounts.services import keys, programs
from followersync.models import WebhookSubscription
from followersync.services import outbound_slots
from followersync.services.sync.settings import settings_of
from followersync.services.webhooks import http, outbound
from tests.support.dripping import DRIPS, endless
from tests.support.factories import LinkedAccountFactory
from tests.support.sync import write

pytestmark = pytest.mark.django_db


class Program:
    """A program that listens on loopback, and answers with `status`."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        program = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                program.heard.append((dict(self.headers), body))
                self.send_response(program.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook?a=1"


@pytest.fixture
def listener(settings) -> Iterator[Program]:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    program = Program()
    yield program
    program.server.shutdown()
    program.server.server_close()


@pytest.fixture
def listed(followed, clock):
    settings = settings_of(followed)
    settings.baseline_at = clock()
    settings.save()
    write(followed, people=[(1, "anna")])
    return followed


def test_a_message_says_where_the_feed_stands_and_is_signed(alice, listed, listener):
    made, secret = outbound.subscribe(owner=alice, url=listener.url)

    outbound.notify(made.pk)

    headers, body = listener.heard[0]
    assert json.loads(body)["type"] == "changes.available"
    settings = settings_of(listed)
    assert json.loads(body)["data"] == {
        "account": listed.pk, "position": settings.head, "epoch": str(settings.epoch),
    }  # fmt: skip
    assert b"anna" not in body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_specifications_own_example_is_signed_alike():
    headers = outbound.signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_same_news_is_told_once(alice, listed, listener):
    made, _secret = outbound.subscribe(owner=alice, url=listener.url)
    outbound.notify(made.pk)

    outbound.notify(made.pk)
    assert outbound.tick() == 0
    write(listed, lost=[1])
    assert outbound.tick() == 1
    outbound.notify(made.pk)

    assert len(listener.heard) == 2


def test_a_failure_is_tried_again_later_under_the_same_id(alice, listed, listener, clock):
    made, _secret = outbound.subscribe(owner=alice, url=listener.url)
    listener.status = 500
    outbound.notify(made.pk)
    assert outbound.notify(made.pk) is False
    assert len(listener.heard) == 1
    clock.advance(seconds=31)
    listener.status = 200

    outbound.notify(made.pk)

    first, second = (headers["webhook-id"] for headers, _body in listener.heard)
    assert first == second
    made.refresh_from_db()
    assert (made.failures, made.last_error) == (0, "")


def test_who_is_silent_for_days_is_told_no_more(alice, listed, listener, clock):
    made, _secret = outbound.subscribe(owner=alice, url=listener.url)
    listener.status = 503
    for _ in range(40):
        outbound.notify(made.pk)
        clock.advance(hours=13)

    made.refresh_from_db()
    assert (made.disabled_reason, len(listener.heard)) == ("failing", outbound.GIVE_UP_AFTER)
    assert outbound.tick() == 0


def test_who_answers_gone_is_told_no_more(alice, listed, listener):
    made, _secret = outbound.subscribe(owner=alice, url=listener.url)
    listener.status = 410

    outbound.notify(made.pk)

    made.refresh_from_db()
    assert made.disabled_reason == "gone"


def test_a_redirect_is_not_followed(alice, listed, listener):
    made, _secret = outbound.subscribe(owner=alice, url=listener.url)
    listener.status = 307

    outbound.notify(made.pk)

    made.refresh_from_db()
    assert (len(listener.heard), made.last_error) == (1, "status_307")


def test_nobody_hears_of_another_members_accounts(bob, listed, listener):
    made, _secret = outbound.subscribe(owner=bob, url=listener.url)

    outbound.notify(made.pk)

    assert listener.heard == []
    assert outbound.tick() == 0


def test_the_secret_is_stored_as_ciphertext_and_moves_with_the_keys(alice, settings):
    made, secret = outbound.subscribe(owner=alice, url="https://example.com/hook")
    old = made.secret
    assert secret not in old
    settings.TOKEN_KEYS = ["bmV3LXRlc3RzLW9ubHktdG9rZW4ta2V5LTMyLWJ5dCE=", *settings.TOKEN_KEYS]

    keys.rotate()

    assert WebhookSubscription.objects.get().secret != old


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https://127.0.0.1/",
        "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/latest/", "https://0.0.0.0/",
        "https://user:pass@example.com/", "https://[::ffff:127.0.0.1]/", "https://example.com:0/",
        "https://example.com:99999/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
        "https://[", "https://100.64.0.1/", "https://224.0.0.1/",
    ],
)  # fmt: skip
def test_an_address_that_could_reach_our_own_network_is_refused(alice, url):
    with pytest.raises(InvalidInput):
        outbound.subscribe(owner=alice, url=url)

    assert not WebhookSubscription.objects.exists()


def test_a_name_that_stands_for_our_own_network_is_refused_when_used(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)

    with pytest.raises(RetryLater) as refused:
        http.post("https://rebinding.example.org/", b"", {})

    assert str(refused.value.detail) == "address_not_public"


def test_an_address_that_the_list_has_come_to_refuse_is_a_failure_and_no_fault(alice, listed):
    made, _secret = outbound.subscribe(owner=alice, url="https://example.com/hook")
    WebhookSubscription.objects.update(url="https://168.63.129.16/hook")

    outbound.notify(made.pk)

    made.refresh_from_db()
    assert (made.failures, made.last_error) == (1, "address_not_public")


@pytest.mark.parametrize("where", ["status", "headers"])
def test_a_target_that_drips_its_answer_is_left_at_the_deadline(settings, where):
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    with endless(*DRIPS[where]) as server:
        began = time.monotonic()
        with pytest.raises(RetryLater) as refused:
            http.post(server.url, b"{}", {}, seconds=0.4)
        took = time.monotonic() - began

    assert str(refused.value.detail) == "too_slow"
    assert took < 3


def test_the_body_of_an_answer_is_not_waited_for(settings):
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    with endless(*DRIPS["body"]) as server:
        assert http.post(server.url, b"{}", {}, seconds=5) == 200


def test_a_turn_begins_no_message_after_its_time(alice, listed, listener, monkeypatch):
    other = LinkedAccountFactory(owner=alice)
    settings = settings_of(other)
    settings.baseline_at = listed.linked_at
    settings.save()
    made, _secret = outbound.subscribe(owner=alice, url=listener.url)
    monkeypatch.setattr(outbound, "TURN_SECONDS", 0)

    assert outbound.notify(made.pk) is True
    assert len(listener.heard) == 1
    assert outbound.notify(made.pk) is False
    assert len(listener.heard) == 2


def test_a_few_of_a_members_webhooks_are_told_at_a_time(alice, listed, listener, clock):
    made = [
        outbound.subscribe(owner=alice, url=f"{listener.url}&n={number}")[0] for number in range(3)
    ]
    busy = WebhookSubscription.objects.filter(pk__in=[made[0].pk, made[1].pk])
    busy.update(leased_until=clock() + outbound_slots.LEASE)

    outbound.notify(made[0].pk)
    outbound.notify(made[2].pk)
    assert listener.heard == []
    clock.advance(seconds=outbound_slots.LEASE.total_seconds() + 1)
    outbound.notify(made[2].pk)

    assert len(listener.heard) == 1


def test_a_program_that_was_shut_out_is_told_nothing_any_more(listed, alice, listener):
    """What it made must not go on without it: the member sees no more of it than its access."""
    programs.issue_token(user=alice, scopes=["accounts:write"])
    made, _secret = outbound.subscribe(owner=alice, url=listener.url, program=programs.OWN_CLIENT)
    outbound.notify(made.pk)
    assert len(listener.heard) == 1

    programs.revoke_program(user=alice, client_id=programs.OWN_CLIENT)
    write(listed, lost=[1])
    outbound.notify(made.pk)

    made.refresh_from_db()
    assert len(listener.heard) == 1
    assert made.disabled_reason == "shut_out"
