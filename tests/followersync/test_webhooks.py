"""Real time without trust: a signed bell rings one sync, everything else changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from accounts.instagram import events, signatures
from accounts.scopes import Scope
from followersync.models import SyncRun
from tests.support.factories import AccessTokenFactory, consent

SECRET = "appsecret"
FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "instagram" / "webhooks"
URL = "/instagram/webhook/"


@pytest.fixture
def linked(account):
    account.instagram_id = "17841400000000000"
    account.save()
    AccessTokenFactory(account=account)
    consent(account, Scope.FOLLOWERS)
    SyncRun.objects.all().delete()
    return account


def send(body: bytes, secret: str = SECRET, **headers: str):
    signed = {"X-Hub-Signature-256": signatures.webhook_signature(body, secret)}
    return Client(enforce_csrf_checks=True).post(
        URL, body, content_type="application/json", headers=signed | headers
    )


def comment(number: int = 1, instagram_id: str = "17841400000000000") -> bytes:
    entry = {"id": instagram_id, "time": 1, "field": "comments", "value": {"id": str(number)}}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def verify(**query: str):
    return Client().get(URL, {f"hub.{name}": value for name, value in query.items()})


@pytest.mark.parametrize("identity", ["1\x00", "\ud83d", "9" * 100, "-1", "one", 10**100])
def test_an_id_that_can_be_none_of_instagrams_is_an_unknown_shape(identity):
    with pytest.raises(events.WrongEvents):
        events.parse(json.dumps({"entry": [{"id": identity}]}).encode())


def test_more_events_than_instagram_sends_at_once_are_an_unknown_shape():
    """Each is looked up while Instagram waits for its answer."""
    with pytest.raises(events.WrongEvents):
        events.parse(json.dumps({"entry": [{"id": "1"}] * 90_000}).encode())


def test_meta_s_check_is_answered_with_the_challenge_as_plain_text():
    answer = verify(mode="subscribe", challenge="1158201444", verify_token="meatyhamhock")

    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert answer["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query",
    [
        {"mode": "subscribe", "challenge": "1", "verify_token": "wrong"},
        {"mode": "subscribe", "challenge": "1"},
        {"mode": "unsubscribe", "challenge": "1", "verify_token": "meatyhamhock"},
        {"mode": "subscribe", "challenge": "<script>", "verify_token": "meatyhamhock"},
        {},
    ],
)
def test_a_stranger_s_check_is_refused(query):
    assert verify(**query).status_code == 403


def test_without_a_verify_token_nobody_can_subscribe(settings):
    settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN = ""

    assert verify(mode="subscribe", challenge="1", verify_token="").status_code == 403


@pytest.mark.parametrize(
    "name", ["comments.instagram_login", "comments.changes", "messages.instagram_login"]
)
def test_each_shape_of_instagram_s_rings_one_sync(linked, name):
    document = (FOLDER / f"{name}.json").read_bytes()

    assert send(document).status_code == 200
    assert SyncRun.objects.filter(account=linked, trigger="webhook").count() == 1


def test_the_documented_outer_array_is_understood(linked):
    assert send(b"[" + comment() + b"]").status_code == 200
    assert SyncRun.objects.count() == 1


@pytest.mark.parametrize(
    "vector",
    json.loads((FOLDER / "signature_vectors.made_here.json").read_text()),
    ids=lambda vector: vector["name"],
)
def test_the_signature_covers_the_raw_bytes(db, vector, settings):
    settings.INSTAGRAM_CLIENT_SECRET = vector["secret"]
    answer = Client().post(
        URL,
        vector["raw_body"].encode(),
        content_type="application/json",
        headers={"X-Hub-Signature-256": vector["x_hub_signature_256"]},
    )

    assert answer.status_code == 200


def test_either_of_the_app_s_secrets_may_sign(linked, settings):
    settings.INSTAGRAM_APP_SECRET = "the meta app's"

    assert send(comment(), secret="the meta app's").status_code == 200
    assert SyncRun.objects.count() == 1


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_forged_bell_rings_nothing(linked, secret):
    assert send(comment(), secret=secret).status_code == 403
    assert not SyncRun.objects.exists()


def test_an_unsigned_bell_rings_nothing(linked):
    answer = Client().post(URL, comment(), content_type="application/json")

    assert answer.status_code == 403
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b'{"entry": 1}', b'{"entry": [{}]}', b"\xff", b"[" * 5000]
)
def test_a_signed_body_in_an_unknown_shape_is_refused_and_changes_nothing(linked, body):
    assert send(body).status_code == 400
    assert not SyncRun.objects.exists()


def test_a_resent_event_is_dropped(linked):
    send(comment())
    SyncRun.objects.all().delete()

    assert send(comment()).status_code == 200
    assert not SyncRun.objects.exists()


def test_a_storm_of_events_rings_one_sync(linked):
    for number in range(50):
        send(comment(number))

    assert SyncRun.objects.count() == 1


def test_a_batch_about_accounts_that_nobody_linked_rings_nothing(linked):
    assert send(comment(instagram_id="17841499999999999")).status_code == 200
    assert not SyncRun.objects.exists()


def test_a_paused_account_is_not_woken(linked, alice):
    from accounts.services import linking

    linking.pause(account=linked, actor=alice)

    assert send(comment()).status_code == 200
    assert not SyncRun.objects.filter(trigger="webhook").exists()


def test_a_resent_event_with_a_new_send_time_is_the_same_event():
    first = json.loads(comment())
    again = json.loads(comment())
    again["entry"][0]["time"] = 99

    assert events.parse(json.dumps(first).encode()) == events.parse(json.dumps(again).encode())
