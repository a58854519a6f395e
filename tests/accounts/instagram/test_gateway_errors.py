"""What goes wrong between Instagram and us, and the one reaction that each fault requires."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts import errors
from accounts.errors import RetryLater
from accounts.instagram.gateway import Gateway, usage_of
from tests.accounts.instagram.conftest import NOW
from tests.support.dripping import DRIPS, endless

FIXTURES = Path(__file__).parents[2] / "fixtures" / "instagram" / "api"
ENVELOPES = sorted((FIXTURES / "errors").glob("*.json"))
REACTIONS = {
    "17_user_limit": errors.WaitUntil,
    "190_458_app_removed": errors.UnlinkedByInstagram,
    "190_463_expired": errors.NeedsReconnect,
    "190_467_invalid": errors.NeedsReconnect,
    "190_no_subcode_expired": errors.NeedsReconnect,
    "1_unknown": errors.RetryLater,
    "200_permission": errors.PermissionMissing,
    "2_transient": errors.RetryLater,
    "4_app_limit": errors.WaitUntil,
    "613_1996": errors.WaitUntil,
    "80002_instagram_buc": errors.WaitUntil,
    "airbyte_10": errors.PermissionMissing,
    "airbyte_100_2108006": errors.ParameterRefused,
    "airbyte_100_33": errors.Gone,
    "airbyte_100_33_long": errors.Gone,
    "docs_190_460": errors.NeedsReconnect,
    "docs_32_page_limit": errors.WaitUntil,
    "docs_80001_page_buc": errors.WaitUntil,
}


@pytest.mark.parametrize(
    "fixture", sorted((FIXTURES / "errors").glob("*.json")), ids=lambda p: p.stem
)
@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
def test_every_known_refusal_becomes_the_error_of_its_reaction(
    sandbox, gateway, link, fixture, status
):
    account_id, token = link("cleo")
    body = json.loads(fixture.read_text())
    sandbox.script([{"status": status, "body": body}], account=account_id, route="me")

    with pytest.raises(errors.ThreadsiteError) as refused:
        gateway.me(token)

    assert type(refused.value) is REACTIONS[fixture.stem]


@pytest.mark.parametrize(
    ("fault", "reaction"),
    [
        ("truncated_json", errors.RetryLater),
        ("dropped", errors.RetryLater),
        ("http_500", errors.RetryLater),
        ("service_error", errors.RetryLater),
        ("rate_limited", errors.WaitUntil),
        ("expired_token", errors.NeedsReconnect),
        ("wrong_shape", errors.WrongShape),
    ],
)
def test_a_broken_answer_is_an_error_and_never_a_list(sandbox, gateway, link, fault, reaction):
    account_id, token = link("ada")
    sandbox.script([{"fault": fault}] * 8, account=account_id, route="followers")

    for _again in range(8):
        with pytest.raises(reaction):
            gateway.followers(token, account_id, "followers", 1000, None)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "17841400000000001"}]},
        {"data": [{"id": "", "username": "a"}]},
        {"data": [{"id": True, "username": "a"}]},
        {"data": [{"id": "17841400000000001", "username": ""}]},
        {"data": [], "paging": {"next": "https://graph.instagram.com/…"}},
        {"paging": {}},
    ],
)
def test_a_row_or_cursor_that_is_not_whole_is_not_believed(sandbox, gateway, link, body):
    account_id, token = link("ada")
    sandbox.script([{"body": body}], account=account_id, route="followers")

    with pytest.raises(errors.WrongShape):
        gateway.followers(token, account_id, "followers", 1000, None)


def test_a_page_may_be_empty_and_still_have_a_next(sandbox, gateway, link):
    account_id, token = link("ada")
    body = {"data": [], "paging": {"cursors": {"after": "abc"}, "next": "https://x/?after=abc"}}
    sandbox.script([{"body": body}], account=account_id, route="followers")

    page = gateway.followers(token, account_id, "followers", 1000, None)

    assert (page.rows, page.after) == ([], "abc")


def test_a_limit_says_in_minutes_when_to_go_on(sandbox, gateway, link):
    account_id, token = link("ada")
    headers = json.loads((FIXTURES / "headers.json").read_text())
    throttled = headers["x-business-use-case-usage.instagram_throttled"]
    answer = {"error": "80002_instagram_buc", "headers": {"X-Business-Use-Case-Usage": throttled}}
    sandbox.script([answer], account=account_id)

    with pytest.raises(errors.WaitUntil) as refused:
        gateway.me(token)

    assert refused.value.at == NOW + timedelta(minutes=19)
    assert usage_of(refused.value).highest == 100


def test_a_host_that_does_not_answer_is_tried_again_later(gateway):
    away = type(gateway)(**{**_fields(gateway), "graph_url": "http://127.0.0.1:1"})

    with pytest.raises(errors.RetryLater):
        away.me("a token")


def _fields(gateway: Gateway) -> dict[str, Any]:
    names = ("oauth_url", "api_url", "graph_url", "client_id", "client_secret", "now")
    return {name: getattr(gateway, name) for name in names}


@pytest.mark.parametrize("where", DRIPS)
def test_an_instagram_that_drips_is_left_at_the_deadline(gateway, where):
    """A limit for each read would have granted it 20 s for each byte."""
    with endless(*DRIPS[where]) as server:
        slow = replace(gateway, graph_url=server.url, timeout=0.4)
        began = time.monotonic()
        with pytest.raises(RetryLater):
            slow.me("token")
        took = time.monotonic() - began

    assert took < 3
