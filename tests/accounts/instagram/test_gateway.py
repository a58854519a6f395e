"""The gateway against the sandbox over HTTP: what it misreads, members would be told."""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from accounts import errors
from accounts.instagram.gateway import Gateway, from_settings
from accounts.instagram.usage import Percentages, Usage, parse_usage
from tests.support.sandbox import BASIC, INSIGHTS, REDIRECT_URI, Refused


def _all_followers(
    gateway: Gateway, token: str, account_id: str, limit: int = 1000
) -> list[tuple[int, str]]:
    rows: list[tuple[int, str]] = []
    after: str | None = None
    while True:
        page = gateway.followers(token, account_id, "followers", limit, after)
        rows += page.rows
        after = page.after
        if after is None:
            return rows


@pytest.mark.parametrize("limit", [1000, 999, 170])
def test_all_pages_together_are_the_true_list_in_its_order(sandbox, gateway, link, limit):
    account_id, token = link("ada")

    rows = _all_followers(gateway, token, account_id, limit)

    assert [(str(i), name) for i, name in rows] == [
        (each["id"], each["username"]) for each in sandbox.true_list(account_id)
    ]


def test_an_account_without_followers_has_one_empty_last_page(gateway, link):
    account_id, token = link("emil")

    page = gateway.followers(token, account_id, "followers", 1000, None)

    assert (page.rows, page.after) == ([], None)


@pytest.mark.parametrize("shape", ["live_flat", "docs_data_array", "app_scoped_big_int"])
def test_a_code_is_exchanged_in_every_known_reply_shape(sandbox, gateway, shape):
    sandbox.shape(token=shape)

    token = gateway.exchange_code(sandbox.code("ada"), REDIRECT_URI)

    assert token.permissions == {BASIC, INSIGHTS}
    assert token.user_id.isdigit()


def test_permissions_that_the_reply_does_not_name_are_unknown_and_not_none(sandbox, gateway):
    sandbox.shape(token="no_permissions")

    assert gateway.exchange_code(sandbox.code("ada"), REDIRECT_URI).permissions is None


def test_a_code_dragging_its_fragment_along_is_taken(sandbox, gateway):
    assert gateway.exchange_code(sandbox.code("ada") + "#_", REDIRECT_URI).access_token


def test_a_code_works_once_and_only_where_it_was_asked_for(sandbox, gateway):
    code = sandbox.code("ada")
    with pytest.raises(errors.InvalidInput):
        gateway.exchange_code(code, "http://elsewhere.example/")
    gateway.exchange_code(code, REDIRECT_URI)

    with pytest.raises(errors.InvalidInput) as refused:
        gateway.exchange_code(code, REDIRECT_URI)

    assert refused.value.code == "instagram_code_refused"


@pytest.mark.parametrize("shape", ["flat", "docs_data_array"])
def test_both_ids_and_the_count_are_read_from_either_shape(sandbox, gateway, link, shape):
    account_id, token = link("ada")
    sandbox.shape(profile=shape)

    profile = gateway.me(token)
    count = gateway.follower_count(token)

    assert profile.user_id == account_id
    assert profile.id not in (None, account_id)
    assert profile.username == "ada"
    assert count.followers == 1204


def test_a_missing_count_is_unknown_and_never_zero(sandbox, gateway, link):
    account_id, token = link("ada")
    sandbox.script([{"body": {"data": [{"id": "17"}]}}], account=account_id, route="me")

    assert gateway.follower_count(token).followers is None


def test_a_token_is_refreshed_after_a_day_and_dead_after_sixty(sandbox, gateway, link):
    _account_id, token = link("ada")
    sandbox.advance(86_400)
    newer = gateway.refresh(token).access_token
    sandbox.advance(60 * 86_400)

    with pytest.raises(errors.NeedsReconnect) as refused:
        gateway.refresh(newer)

    assert newer != token
    assert refused.value.reason == "expired"


def test_an_hourly_limit_is_met_and_passes(sandbox, gateway, link):
    _account_id, token = link("cleo")
    sandbox.limit(3)
    used = [gateway.me(token).usage.highest for _call in range(3)]
    with pytest.raises(errors.WaitUntil):
        gateway.me(token)

    sandbox.advance(3601)

    assert used == [33, 66, 100]
    assert gateway.me(token).username == "cleo"


def test_usage_reads_repeated_businesses_and_survives_rubbish():
    one = '[{"type":"instagram","call_count":5,"estimated_time_to_regain_access":2}]'
    two = '[{"type":"pages","call_count":7}]'

    usage = parse_usage({"X-Business-Use-Case-Usage": f'{{"1":{one},"1":{two}}}'})

    assert usage == Usage(None, Percentages(7, 0, 0), 2)
    for rubbish in ("", "{", "[]", "null", '{"1":3}', '{"1":[{"call_count":"x"}]}', "[" * 5000):
        assert parse_usage({"X-App-Usage": rubbish, "X-Business-Use-Case-Usage": rubbish}).wait == (
            timedelta()
        )
    assert parse_usage({}) == Usage(None, None, 0)


def test_no_token_reaches_a_log_an_exception_or_a_repr(sandbox, gateway, link, caplog):
    caplog.set_level(logging.DEBUG)
    account_id, token = link("ada")
    sandbox.script([{"fault": "dropped"}, {"fault": "wrong_shape"}], account=account_id)
    said = [repr(gateway)]
    for _call in range(2):
        with pytest.raises(errors.ThreadsiteError) as refused:
            gateway.followers(token, account_id, "followers", 1000, None)
        error = refused.value
        said += [repr(error), str(error), repr(error.__cause__), repr(error.__context__)]
        said += getattr(error, "__notes__", [])
        assert error.__context__ is None
    said += [repr(gateway.long_lived), caplog.text]

    for secret in (each["value"] for each in sandbox.tokens()):
        assert all(secret not in text for text in said)
    assert gateway.client_secret not in "".join(said)


def test_insights_need_their_permission_and_are_empty_for_a_small_account(sandbox, gateway, link):
    cleo, cleos = link("cleo")
    bob, bobs = link("bob", permissions=(BASIC,))

    assert gateway.insights(cleos, cleo, metrics=["follows_and_unfollows"]).metrics == ()
    with pytest.raises(errors.PermissionMissing):
        gateway.insights(bobs, bob, metrics=["follows_and_unfollows"])


def test_insights_tell_gains_from_losses(sandbox, gateway, link):
    account_id, token = link("ada")
    before = _follow_types(gateway, token, account_id)
    sandbox.change(account_id, follow=3, leave=2)

    after = _follow_types(gateway, token, account_id)

    assert after["NON_FOLLOWER"] == before.get("NON_FOLLOWER", 0) + 2
    assert after["FOLLOWER"] >= 3


def _follow_types(gateway: Gateway, token: str, account_id: str) -> dict[str, int]:
    """Of yesterday and today."""
    now = 2**31
    parameters = {"metric_type": "total_value", "breakdown": "follow_type", "until": str(now)}
    found = gateway.insights(
        token, account_id, metrics=["follows_and_unfollows"], parameters=parameters
    )
    results = [r for m in found.metrics for b in m.breakdowns for r in b.results]
    return {values[0]: value for values, value in results}


def test_revoking_ends_the_token_at_instagram(gateway, link):
    _account_id, token = link("ada")

    assert gateway.subscribe(token, ["comments"])
    assert gateway.unsubscribe(token)
    assert gateway.revoke(token)
    with pytest.raises(errors.UnlinkedByInstagram):
        gateway.me(token)


def test_the_gateway_of_the_settings_asks_only_for_what_was_named(sandbox):
    query = urlencode(
        {
            "client_id": from_settings().client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": BASIC,
            "state": "s t&",
        }
    )
    url = f"{sandbox.base_url}/oauth/authorize?{query}"

    location = sandbox.authorize(url, "ada")

    assert location.startswith(REDIRECT_URI)
    assert parse_qs(urlsplit(location).query)["state"] == ["s t&"]
    assert location.endswith("#_")
    more = sandbox.authorize(url, "ada", permissions=[BASIC, INSIGHTS])
    code = parse_qs(urlsplit(more).query)["code"][0]
    assert from_settings().exchange_code(code, REDIRECT_URI).permissions == {BASIC}
    with pytest.raises(Refused):
        sandbox.authorize(url, "ada", permissions=["instagram_fly"])
