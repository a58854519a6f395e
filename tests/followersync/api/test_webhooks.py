"""`/webhooks/` over the API."""

from __future__ import annotations

import pytest

from followersync.models import WebhookSubscription
from followersync.services.personal_data import export
from followersync.services.webhooks import outbound
from tests.support.api import API, browser, problem, program

WEBHOOKS = f"{API}/webhooks/"
URL = {"url": "https://example.com/hook"}

pytestmark = pytest.mark.django_db


def test_the_secret_is_shown_once(alices_program):
    response = alices_program.post(WEBHOOKS, URL)

    assert response.status_code == 201
    assert response.json()["secret"].startswith("whsec_")
    shown = alices_program.get(response["Location"]).json()
    assert "secret" not in shown
    assert (shown["url"], shown["enabled"]) == (URL["url"], True)
    assert [row["id"] for row in alices_program.get(WEBHOOKS).json()["results"]] == [shown["id"]]


def test_an_answer_repeated_by_key_does_not_hold_the_secret(alices_program):
    key = {"HTTP_IDEMPOTENCY_KEY": "hook"}
    alices_program.post(WEBHOOKS, URL, **key)

    again = alices_program.post(WEBHOOKS, URL, **key)

    assert (again.status_code, again.json()["secret"]) == (201, None)
    assert WebhookSubscription.objects.count() == 1


def test_an_address_is_told_once(alices_program):
    alices_program.post(WEBHOOKS, URL)

    problem(alices_program.post(WEBHOOKS, URL), 409, "webhook_exists")


def test_there_is_an_end_to_it(alices_program):
    for number in range(10):
        alices_program.post(WEBHOOKS, {"url": f"https://example.com/{number}"})

    problem(alices_program.post(WEBHOOKS, URL), 409, "too_many_webhooks")


@pytest.mark.parametrize("url", ["", "x", "http://example.com/", "https://127.0.0.1/", "https://["])
def test_a_bad_address_is_refused(alices_program, url):
    assert alices_program.post(WEBHOOKS, {"url": url}).status_code == 422
    assert not WebhookSubscription.objects.exists()


def test_a_program_sees_and_touches_its_own_alone(alice, alices_program):
    """Another program's address is often a secret itself."""
    made, _secret = outbound.subscribe(owner=alice, url="https://example.com/of-the-page")
    where = f"{WEBHOOKS}{made.pk}/"

    assert alices_program.get(WEBHOOKS).json()["results"] == []
    problem(alices_program.get(where), 404, "not_found")
    problem(alices_program.patch(where, {"enabled": False}), 404, "not_found")
    problem(alices_program.delete(where), 404, "not_found")
    alices_program.post(WEBHOOKS, URL)
    assert len(browser(alice).get(WEBHOOKS).json()["results"]) == 2


def test_it_is_switched_off_and_on_and_removed(alices_program):
    where = alices_program.post(WEBHOOKS, URL)["Location"]

    assert alices_program.patch(where, {"enabled": False}).json()["disabled_reason"] == "by_member"
    assert alices_program.patch(where, {"enabled": True}).json()["enabled"] is True
    problem(alices_program.patch(where, {}), 422, "invalid")
    assert alices_program.delete(where).status_code == 204
    problem(alices_program.get(where), 404, "not_found")


def test_the_members_copy_names_it_without_its_secret(alices_program, alice):
    alices_program.post(WEBHOOKS, URL)

    row = next(export.webhooks(alice.pk))

    assert row["url"] == URL["url"]
    assert "secret" not in row


def test_nobody_else_reaches_it(alices_program, bobs_program, anonymous, alice):
    where = alices_program.post(WEBHOOKS, URL)["Location"]

    for method in ("get", "delete"):
        problem(getattr(bobs_program, method)(where), 404, "not_found")
        problem(getattr(anonymous, method)(where), 401, "not_authenticated")
        problem(getattr(program(alice, "accounts:read"), method)(where), 403, "scope_missing")
    assert bobs_program.get(WEBHOOKS).json()["results"] == []
