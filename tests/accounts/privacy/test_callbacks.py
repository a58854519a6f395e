"""Who leaves at Instagram has left here, and nobody else can make them leave."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.instagram.signatures import make_signed_request
from accounts.models import AccessToken, DeletionRequest, LinkedAccount
from accounts.services import erasure, linking
from tests.support.clock import Clock
from tests.support.factories import AccessTokenFactory, LinkedAccountFactory
from tests.support.sandbox import CLIENT_SECRET
from tests.support.sync import connect

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).parents[2] / "fixtures" / "instagram" / "signed_request"
VECTORS = [
    vector
    for name in ("vectors.json", "made_here.json")
    for vector in json.loads((FOLDER / name).read_text())
]
SECRET = "appsecret"
DEAUTHORIZE, DELETE = "/instagram/deauthorize/", "/instagram/data-deletion/"


@pytest.fixture(autouse=True)
def home_of_this_test(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path
    settings.INSTAGRAM_CLIENT_SECRET = SECRET


@pytest.fixture
def browser() -> Client:
    """As Instagram's servers: no session, and no CSRF token."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def linked(account: LinkedAccount) -> LinkedAccount:
    AccessTokenFactory(account=account)
    return account


def signed(user_id: Any, clock: Clock, *, secret: str = SECRET, **payload: Any) -> str:
    issued = {"issued_at": int(clock().timestamp())} | payload
    return make_signed_request({"user_id": user_id, **issued}, secret)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
def test_every_vector_is_taken_or_refused_as_it_must_be(browser, clock, settings, vector, path):
    settings.INSTAGRAM_CLIENT_SECRET = vector["secret"]
    payload = vector["payload"] or {}
    complete = vector["valid"] and {"user_id", "issued_at"} <= set(payload)
    clock.moment = datetime.fromtimestamp(payload.get("issued_at", 1_754_900_000) + 60, UTC)

    answer = browser.post(path, {"signed_request": vector["signed_request"]})

    assert answer.status_code == (200 if complete else 400)
    if not vector["valid"]:
        assert answer.json()["error"]["code"] == "bad_signed_request"


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
@pytest.mark.parametrize("field", ["instagram_id", "app_scoped_id"])
def test_either_id_ends_the_link_at_once(browser, clock, linked, path, field):
    answer = browser.post(path, {"signed_request": signed(getattr(linked, field), clock)})

    assert answer.status_code == 200
    linked.refresh_from_db()
    assert linked.state == "unlinked"
    assert not AccessToken.objects.exists()
    assert DeletionRequest.objects.get().account_id == linked.pk


@pytest.mark.parametrize("secret", [SECRET, "the-meta-apps"])
def test_either_secret_signs(browser, clock, linked, settings, secret):
    settings.INSTAGRAM_APP_SECRET = "the-meta-apps"

    request = signed(linked.instagram_id, clock, secret=secret)

    assert browser.post(DEAUTHORIZE, {"signed_request": request}).status_code == 200


def test_an_empty_second_secret_signs_for_nobody(browser, clock, linked, settings):
    settings.INSTAGRAM_APP_SECRET = ""
    answer = browser.post(DELETE, {"signed_request": signed(linked.instagram_id, clock, secret="")})

    assert answer.status_code == 400
    linked.refresh_from_db()
    assert linked.state == "active"


def test_the_deletion_is_answered_with_a_page_that_shows_how_far_it_is(browser, clock, linked):
    body = browser.post(DELETE, {"signed_request": signed(linked.instagram_id, clock)}).json()

    deletion = DeletionRequest.objects.get()
    assert body == {
        "url": f"http://testserver/deletion/{deletion.code}/",
        "confirmation_code": deletion.code,
    }
    assert body["confirmation_code"].isalnum()
    assert browser.get(reverse("deletion", args=[deletion.code])).status_code == 200


def test_a_number_for_a_user_id_is_understood(browser, clock, linked):
    request = signed(int(linked.instagram_id), clock)

    browser.post(DELETE, {"signed_request": request})

    assert DeletionRequest.objects.get().account_id == linked.pk


def test_whom_we_do_not_know_gets_a_code_and_the_truth(browser, clock):
    body = browser.post(DELETE, {"signed_request": signed("17841499999999999", clock)}).json()

    deletion = DeletionRequest.objects.get(code=body["confirmation_code"])
    assert (deletion.state, deletion.held) == ("completed", False)
    assert deletion.receipt["rows"] == 0


def test_a_replay_gets_the_same_code_and_does_no_more(browser, clock, linked):
    request = signed(linked.instagram_id, clock)
    first = browser.post(DELETE, {"signed_request": request}).json()
    erasure.advance(DeletionRequest.objects.get().pk)
    again = browser.post(DELETE, {"signed_request": request}).json()

    assert first == again
    assert DeletionRequest.objects.count() == 1


def test_a_replay_for_an_unknown_user_gets_the_same_code(browser, clock):
    request = signed("17841499999999999", clock)

    answers = {browser.post(DELETE, {"signed_request": request}).content for _ in range(3)}

    assert len(answers) == 1
    assert DeletionRequest.objects.count() == 1


def test_a_replayed_deauthorization_is_harmless(browser, clock, linked):
    request = signed(linked.instagram_id, clock)

    for _time in range(3):
        assert browser.post(DEAUTHORIZE, {"signed_request": request}).status_code == 200

    assert DeletionRequest.objects.count() == 1


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
def test_a_replay_does_not_end_the_link_that_was_made_afterwards(browser, clock, linked, path):
    """Nor with other padding: what is signed is the same."""
    number, owner = linked.instagram_id, linked.owner
    request = signed(number, clock)
    browser.post(path, {"signed_request": request})
    while erasure.advance(DeletionRequest.objects.get().pk):
        pass
    again = LinkedAccountFactory(owner=owner, instagram_id=number, linked_at=clock())

    signature, _dot, payload = request.partition(".")
    for replay in (request, f"{signature}=.{payload}"):
        assert browser.post(path, {"signed_request": replay}).status_code == 200

    again.refresh_from_db()
    assert again.state == "active"
    assert DeletionRequest.objects.count() == 1


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
def test_what_was_issued_before_the_link_was_made_says_nothing_about_it(
    browser, clock, account, path
):
    """Instagram repeats a callback for hours; meanwhile the member may have come back."""
    request = signed(account.instagram_id, clock)
    clock.advance(hours=2)
    LinkedAccount.objects.update(linked_at=clock())

    assert browser.post(path, {"signed_request": request}).status_code == 200

    account.refresh_from_db()
    assert account.state == "active"


def test_the_deletion_ends_a_grace_that_the_member_had_granted(browser, clock, linked, alice):
    waiting = linking.unlink(account=linked, erase="after_grace", channel="web", actor=alice)

    browser.post(DELETE, {"signed_request": signed(linked.instagram_id, clock)})

    waiting.refresh_from_db()
    assert waiting.state == "requested"


@pytest.mark.parametrize(
    ("shift", "taken"),
    [
        (timedelta(days=-8), False),
        (timedelta(days=-6), True),
        (timedelta(minutes=5), True),
        (timedelta(hours=1), False),
    ],
)
def test_an_absurd_moment_of_issue_is_refused(browser, clock, linked, shift, taken):
    issued = int((clock() + shift).timestamp())

    answer = browser.post(
        DELETE, {"signed_request": signed(linked.instagram_id, clock, issued_at=issued)}
    )

    assert answer.status_code == (200 if taken else 400)


@pytest.mark.parametrize("issued", [None, "1754900000", True, 1e300, -1e300, [1]])
def test_what_is_no_moment_of_issue_is_refused(browser, clock, linked, issued):
    request = signed(linked.instagram_id, clock, issued_at=issued)

    answer = browser.post(DELETE, {"signed_request": request})

    assert answer.status_code == 400
    assert not DeletionRequest.objects.exists()


@pytest.mark.parametrize("user_id", [None, "", [], {"id": 1}, True, 1.5, "1784\0"])
def test_what_is_no_user_is_refused(browser, clock, linked, user_id):
    answer = browser.post(DELETE, {"signed_request": signed(user_id, clock)})

    assert answer.status_code == 400
    assert not DeletionRequest.objects.exists()


@pytest.mark.parametrize("body", [{}, {"signed_request": ""}, {"signed_request": "x.y"}])
@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
def test_what_instagram_did_not_sign_changes_nothing(browser, linked, body, path):
    answer = browser.post(path, body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    linked.refresh_from_db()
    assert linked.state == "active"


def test_a_look_without_a_post_is_refused(browser):
    assert browser.get(DELETE).status_code == 405
    assert browser.get(DEAUTHORIZE).status_code == 405


@pytest.mark.parametrize("more", [{}, {"id": "professional"}, {"padded": True}])
@pytest.mark.parametrize("callback", ["deauthorize", "data_deletion"])
def test_what_the_sandbox_instagram_signs_and_sends_is_understood(
    sandbox, alice, settings, callback, more
):
    settings.INSTAGRAM_CLIENT_SECRET = CLIENT_SECRET
    number = sandbox.persona("leaver", followers=3)
    linked = connect(sandbox, alice, "leaver")

    answer = sandbox.send(number, callback, client=Client(enforce_csrf_checks=True), **more)

    assert answer.status_code == 200
    linked.refresh_from_db()
    assert linked.state == "unlinked"
