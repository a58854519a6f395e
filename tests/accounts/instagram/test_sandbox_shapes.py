"""The sandbox answers as Instagram's samples do: else what works here would fail there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from accounts.instagram.sandbox.envelopes import ENVELOPES
from tests.support.sandbox import BASIC, CLIENT_ID, CLIENT_SECRET, INSIGHTS, REDIRECT_URI, Sandbox

FIXTURES = Path(__file__).parents[2] / "fixtures" / "instagram"
ME = "id,user_id,username,name,account_type,profile_picture_url,followers_count,follows_count"
SPLIT = {"metric_type": "total_value", "breakdown": "follow_type"}
QUIET = {"since": "1", "until": "2"}


def _fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


def _shape(value: Any) -> Any:
    """Keys and types; of a list, the shapes that its members have. A digit string is an id."""
    if isinstance(value, dict):
        return {key: _shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [json.loads(each) for each in sorted({json.dumps(_shape(m)) for m in value})]
    return type(value).__name__


def _get(sandbox: Sandbox, path: str, token: str, **query: str) -> Any:
    answer = sandbox.http.request(
        "GET", f"{sandbox.base_url}{path}?{urlencode({**query, 'access_token': token})}"
    )
    return json.loads(answer.data)


def _exchange(sandbox: Sandbox, code: str, *, multipart: bool = False) -> Any:
    form = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT_URI,
        "code": code,
    }
    answer = sandbox.http.request_encode_body(
        "POST", f"{sandbox.base_url}/oauth/access_token", fields=form, encode_multipart=multipart
    )
    return json.loads(answer.data)


@pytest.mark.parametrize("multipart", [True, False])
@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ("live_flat", "api/oauth_token_short.live_flat.json"),
        ("docs_data_array", "api/oauth_token_short.docs_data_array.json"),
        ("app_scoped_big_int", "api/oauth_token_short.app_scoped_big_int.json"),
        ("no_permissions", "api/threads/oauth_token_short.json"),
    ],
)
def test_the_code_exchange_answers_as_each_sample(sandbox, shape, name, multipart):
    sandbox.shape(token=shape)

    answer = _exchange(sandbox, sandbox.code("ada"), multipart=multipart)

    assert _shape(answer) == _shape(_fixture(name))


def test_a_used_code_is_refused_in_the_envelope_of_its_own(sandbox):
    code = sandbox.code("ada")
    _exchange(sandbox, code)

    assert _exchange(sandbox, code) == _fixture("api/oauth_token_error.code_used.json")


@pytest.mark.parametrize("name", sorted(p.stem for p in (FIXTURES / "api/errors").glob("*.json")))
def test_every_refusal_is_there_on_demand(sandbox, link, name):
    account_id, token = link("cleo")
    sandbox.script([{"error": name}], account=account_id)
    sample = _fixture(f"api/errors/{name}.json")["error"]

    answer = _get(sandbox, "/v25.0/me", token)["error"]

    assert _shape(answer) == _shape(sample)
    assert (answer["code"], answer.get("error_subcode")) == (
        sample["code"],
        sample.get("error_subcode"),
    )


def test_every_refusal_by_name_is_an_envelope_with_a_code():
    assert all(document["error"]["code"] for document in ENVELOPES.values())


ANSWERS: list[tuple[str, str, dict[str, str]]] = [
    ("api/me.flat.json", "/v25.0/me", {"fields": f"{ME},media_count"}),
    ("api/ig_user.docs.json", "/v25.0/{id}", {}),
    ("api/media_page.docs.json", "/v25.0/{id}/media", {}),
    ("api/insights_empty.json", "/{id}/insights", {"metric": "reach", **QUIET}),
    (
        "api/insights_follows_and_unfollows.json",
        "/{id}/insights",
        {"metric": "follows_and_unfollows", **SPLIT, "until": "2000000000"},
    ),
    (
        "api/insights_follows_and_unfollows.quiet_day.json",
        "/{id}/insights",
        {"metric": "follows_and_unfollows", "metric_type": "total_value"},
    ),
    (
        "api/airbyte/follower_demographics_age_gender.json",
        "/{id}/insights",
        {"metric": "follower_demographics", "period": "lifetime", "breakdown": "age,gender"},
    ),
    ("api/airbyte/user_insights.json", "/{id}/insights", {"metric": "follower_count,reach"}),
    ("api/airbyte/users.json", "/v25.0/{id}", {"fields": "id,biography,ig_id,website"}),
    ("api/threads/insights_followers_count.json", "/v1.0/me/threads_insights", {}),
    ("api/threads/debug_token.docs_partial.json", "/debug_token", {}),
]


@pytest.mark.parametrize(("name", "path", "query"), ANSWERS, ids=[each[0] for each in ANSWERS])
def test_every_answer_has_the_keys_and_types_of_its_sample(sandbox, link, name, path, query):
    account_id, token = link("dora")
    sandbox.shape(profile="flat")

    answer = _get(sandbox, path.format(id=account_id), token, **query)

    assert _shape(answer) == _shape(_fixture(name))


def test_the_profile_in_the_documented_wrapping(sandbox, link):
    _account_id, token = link("ada")
    sandbox.shape(profile="docs_data_array")

    answer = _get(sandbox, "/me", token, fields="user_id,username")

    assert _shape(answer) == _shape(_fixture("api/me.docs_data_array.json"))


def test_a_messaging_profile_says_whether_that_person_follows(sandbox, link):
    account_id, token = link("ada")
    follower = sandbox.true_list(account_id)[0]
    fields = "name,username,profile_pic,follower_count,is_user_follow_business"

    answer = _get(sandbox, f"/v25.0/{follower['id']}", token, fields=fields)

    assert _shape(answer) == _shape(_fixture("api/user_profile_igsid.json"))
    assert answer["is_user_follow_business"] is True
    assert answer["username"] == follower["username"]


@pytest.mark.parametrize(
    ("path", "grant"),
    [("access_token", "ig_exchange_token"), ("refresh_access_token", "ig_refresh_token")],
)
def test_long_lived_and_refreshed_tokens_answer_as_their_samples(sandbox, path, grant):
    sandbox.shape(token="live_flat")
    sandbox.relax_refresh()
    token = _exchange(sandbox, sandbox.code("ada"))["access_token"]
    secret = {"client_secret": CLIENT_SECRET}
    if path == "refresh_access_token":
        exchange = {"grant_type": "ig_exchange_token", **secret}
        token = _get(sandbox, "/access_token", token, **exchange)["access_token"]

    answer = _get(sandbox, f"/{path}", token, grant_type=grant, **secret)

    sample = "long_lived_token" if path == "access_token" else "refresh_token"
    assert _shape(answer) == _shape(_fixture(f"api/{sample}.json"))
    assert answer["expires_in"] == 5183944


def test_usage_headers_are_written_as_in_the_sample(sandbox, link):
    account_id, token = link("ada")
    answer = sandbox.http.request("GET", f"{sandbox.base_url}/me?access_token={token}")
    sample = _fixture("api/headers.json")

    business = json.loads(answer.headers["X-Business-Use-Case-Usage"])
    wanted = json.loads(sample["x-business-use-case-usage.instagram_ok"])

    assert _shape(business[account_id]) == _shape(wanted["17841400000000000"])
    assert _shape(json.loads(answer.headers["X-App-Usage"])) == _shape(
        json.loads(sample["x-app-usage"])
    )
    assert "Set-Cookie" not in answer.headers


def test_allowing_and_refusing_lead_back_as_in_the_samples(sandbox):
    samples = _fixture("api/authorize_redirects.json")
    query = urlencode(
        {
            "client_id": CLIENT_ID,
            "redirect_uri": "https://my.m.redirect.net/auth/",
            "response_type": "code",
            "scope": f"{BASIC} {INSIGHTS}",
        }
    )
    url = f"{sandbox.base_url}/oauth/authorize?{query}"

    allowed = sandbox.authorize(url, "ada")
    refused = sandbox.authorize(url, "ada", decision="deny")

    assert refused == samples["cancelled"]
    assert set(parse_qs(urlsplit(allowed).query)) == {"code"}
    assert urlsplit(allowed).fragment == urlsplit(samples["success"]).fragment == "_"


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ("instagram_login", "webhooks/comments.instagram_login.json"),
        ("messages", "webhooks/messages.instagram_login.json"),
    ],
)
def test_webhooks_are_sent_in_the_shapes_of_the_samples(sandbox, shape, name):
    body = {"callback": "webhook", "shape": shape, "deliver": False}

    made = sandbox.call("POST", f"accounts/{sandbox.id_of('ada')}/send/", body)

    assert _shape(json.loads(made["body"])) == _shape(_fixture(name))
    assert made["body"].isascii()


def test_webhooks_of_the_facebook_login_carry_their_changes(sandbox):
    body = {"callback": "webhook", "shape": "changes", "deliver": False}

    made = sandbox.call("POST", f"accounts/{sandbox.id_of('ada')}/send/", body)

    (entry,) = json.loads(made["body"])["entry"]
    assert set(entry) == {"id", "time", "changes"}
    assert entry["changes"][0]["field"] == "comments"
