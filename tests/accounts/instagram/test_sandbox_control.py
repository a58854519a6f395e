"""The control routes: tests that trust them must be able to trust them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from accounts.instagram.sandbox.fault_kinds import DEFAULTS, NAMES
from accounts.instagram.signatures import parse_signed_request, webhook_is_genuine
from tests.support.sandbox import CLIENT_SECRET, INSIGHTS, Refused, Sandbox


def _ids(sandbox: Sandbox, account_id: str) -> list[str]:
    return [each["id"] for each in sandbox.true_list(account_id)]


def test_the_personae_are_there_from_the_start(sandbox):
    found = {each["username"]: each["followers"] for each in sandbox.accounts()}

    assert found == {"ada": 1200, "bob": 300, "cleo": 30, "dora": 12000, "emil": 0}


def test_the_same_seed_makes_the_same_people_and_another_seed_others(sandbox):
    ada = sandbox.true_list(sandbox.id_of("ada"))
    sandbox.call("POST", "reset/", {"seed": 2})
    others = sandbox.true_list(sandbox.id_of("ada"))
    sandbox.call("POST", "reset/", {"seed": 1})

    again = sandbox.true_list(sandbox.id_of("ada"))

    assert [(p["id"], p["username"]) for p in again] == [(p["id"], p["username"]) for p in ada]
    assert not {p["id"] for p in ada} & {p["id"] for p in others}


def test_people_look_like_instagrams(sandbox):
    people = sandbox.true_list(sandbox.id_of("dora"))

    assert all(len(p["id"]) == 17 and p["id"].startswith("1784") for p in people)
    assert len({p["id"] for p in people}) == len({p["username"] for p in people}) == 12000
    assert all(p["username"].strip("abcdefghijklmnopqrstuvwxyz0123456789._") == "" for p in people)
    assert [p["followed_at"] for p in people] == sorted(
        (p["followed_at"] for p in people), reverse=True
    )


def test_two_personae_share_as_many_people_as_were_asked_for(sandbox):
    ada = sandbox.id_of("ada")

    zoe = sandbox.persona("zoe", 50, shared_with=ada, shared=20)

    assert len(_ids(sandbox, zoe)) == 50
    assert len(set(_ids(sandbox, zoe)) & set(_ids(sandbox, ada))) == 20


def test_a_change_happens_at_once_and_says_to_whom(sandbox):
    cleo = sandbox.id_of("cleo")
    before = {p["id"]: p["username"] for p in sandbox.true_list(cleo)}

    first = sandbox.change(cleo, follow=2, leave=3, rename=4, deactivate=1)
    second = sandbox.change(cleo, return_=2)

    after = {p["id"]: p["username"] for p in sandbox.true_list(cleo)}
    assert set(after) - set(before) == set(first["followed"])
    assert set(before) - set(after) == set(first["left"]) - set(second["returned"]) | set(
        first["deactivated"]
    )
    assert set(second["returned"]) < set(first["left"])
    assert {i for i in before.keys() & after.keys() if before[i] != after[i]} == set(
        first["renamed"]
    )
    assert _ids(sandbox, cleo)[:2] == second["returned"][::-1]


def test_whoever_is_deactivated_is_hidden_yet_counted_and_comes_back_in_mid_list(
    sandbox, gateway, link
):
    ada, token = link("ada")
    order = _ids(sandbox, ada)
    count = gateway.follower_count(token).followers
    gone = sandbox.change(ada, deactivate=5)["deactivated"]

    hidden = _ids(sandbox, ada)
    back = sandbox.change(ada, reactivate=5)["reactivated"]

    assert hidden == [each for each in order if each not in gone]
    assert gateway.follower_count(token).followers == count
    assert sorted(back) == sorted(gone)
    assert _ids(sandbox, ada) == order


def test_named_people_can_leave_and_personae_can_follow_each_other(sandbox):
    ada, bob = sandbox.id_of("ada"), sandbox.id_of("bob")
    leaver = _ids(sandbox, ada)[700]

    done = sandbox.change(ada, leave=[leaver], follow=[bob])

    assert done["left"] == [leaver]
    assert sandbox.true_list(ada)[0]["username"] == "bob"
    assert leaver not in _ids(sandbox, ada)


def test_a_name_that_somebody_gave_up_can_be_anothers(sandbox):
    ada = sandbox.id_of("ada")
    first, second = sandbox.true_list(ada)[:2]
    sandbox.change(ada, rename=[first["id"]])

    sandbox.rename(ada, second["id"], first["username"])

    assert sandbox.true_list(ada)[1]["username"] == first["username"]


def test_life_goes_on_by_itself_until_time_is_stopped(sandbox):
    ada = sandbox.id_of("ada")
    before = sandbox.true_list(ada)
    sandbox.life(60)
    sandbox.advance(600)
    lived = sandbox.true_list(ada)
    sandbox.life(0)
    sandbox.advance(6000)

    stopped = sandbox.true_list(ada)

    assert lived != before
    assert abs(len(lived) - 1200) < 150
    assert stopped == sandbox.true_list(ada)


@pytest.mark.parametrize(
    ("method", "route", "body", "status"),
    [
        ("POST", "accounts/", {"username": "ada", "followers": 3}, 409),
        ("POST", "accounts/", {"username": "No!", "followers": 3}, 400),
        ("POST", "accounts/", {"username": "x", "followers": -1}, 400),
        ("POST", "accounts/", {"username": "x", "followers": 10**9}, 400),
        ("POST", "accounts/", {"username": "x", "followers": "3"}, 400),
        ("POST", "accounts/", {"username": "x", "followers": 3, "shared": 1}, 404),
        ("POST", "accounts/", {"username": "x", "offset": 3, "folowers": 1}, 400),
        ("POST", "accounts/", {"username": "x", "followers": 3, "offset": "1"}, 400),
        ("POST", "accounts/1/change/", {"follow": 1}, 404),
        ("POST", "accounts/{cleo}/change/", {"follow": -1}, 400),
        ("POST", "accounts/{cleo}/change/", {"follow": True}, 400),
        ("POST", "accounts/{cleo}/change/", {"fly": 1}, 400),
        ("POST", "accounts/{cleo}/change/", {"leave": ["17849999999999999"]}, 404),
        ("POST", "accounts/{cleo}/change/", {"leave": ["{cleo}"]}, 409),
        ("POST", "accounts/{cleo}/change/", {"leave": 1, "follow": "x"}, 400),
        ("POST", "accounts/{cleo}/change/", [1], 400),
        ("POST", "accounts/{cleo}/send/", {"callback": "smoke"}, 400),
        ("POST", "accounts/{cleo}/send/", {"callback": "webhook", "shape": "odd"}, 400),
        ("POST", "accounts/{cleo}/revoke/", {"reason": "mood"}, 400),
        ("POST", "accounts/{cleo}/rename/", {"person": "1", "username": "x"}, 404),
        ("PUT", "life/", {}, 400),
        ("PUT", "life/", {"per_minute": "fast"}, 400),
        ("PUT", "life/", {"per_minute": -1}, 400),
        ("PUT", "faults/", {"rain": 0.5}, 400),
        ("PUT", "faults/", {"slow": 1.5}, 400),
        ("PUT", "faults/", {"slow": 0.1, "dropped": "x"}, 400),
        ("PUT", "script/", {"answers": 3}, 400),
        ("PUT", "script/", {"answers": [{"error": "mood"}]}, 400),
        ("PUT", "script/", {"answers": [{"change": {"leave": 1}}]}, 400),
        ("PUT", "shape/", {"token": "round"}, 400),
        ("PUT", "limits/", {"calls_per_hour": -2}, 400),
        ("PUT", "clock/", {"advance_seconds": -5}, 400),
        ("POST", "reset/", {"seed": "x"}, 400),
        ("PUT", "site/", {"url": "file:///etc/passwd"}, 400),
        ("GET", "weather/", None, 404),
    ],
)
def test_bad_input_gets_a_clear_error_and_changes_nothing(sandbox, method, route, body, status):
    cleo = sandbox.id_of("cleo")
    before = _everything(sandbox)
    body = json.loads(json.dumps(body).replace("{cleo}", cleo))

    with pytest.raises(Refused) as refused:
        sandbox.call(method, route.replace("{cleo}", cleo), body)

    assert refused.value.status == status
    assert refused.value.body["detail"]
    assert _everything(sandbox) == before


def _everything(sandbox: Sandbox) -> list[object]:
    cleo = sandbox.id_of("cleo")
    routes = ("accounts/", f"accounts/{cleo}/followers/", "faults/", "life/", "tokens/")
    return [sandbox.call("GET", route) for route in routes]


def test_broken_json_gets_a_clear_error(sandbox):
    answer = sandbox.http.request("PUT", f"{sandbox.base_url}/_sandbox/life/", body=b"{")

    assert answer.status == 400
    assert "JSON" in answer.json()["detail"]


def test_an_unknown_persona_and_a_foreign_app_are_refused_on_the_page(sandbox):
    query = "redirect_uri=http://x.example/&response_type=code&scope=instagram_business_basic"
    for client, persona, status in (("wrong", "ada", 400), ("1234567890123456", "nobody", 404)):
        url = f"{sandbox.base_url}/oauth/authorize?client_id={client}&{query}"
        with pytest.raises(Refused) as refused:
            sandbox.authorize(url, persona)
        assert refused.value.status == status

    assert sandbox.tokens() == []


def test_the_page_shows_the_personae_and_what_was_asked_for(sandbox):
    url = (
        f"{sandbox.base_url}/oauth/authorize?client_id=1234567890123456&response_type=code"
        f"&redirect_uri=http://x.example/&scope=instagram_business_basic,{INSIGHTS}"
    )

    page = sandbox.http.request("GET", url).data.decode()

    assert all(f'value="{name}"' in page for name in ("ada", "dora", INSIGHTS, "allow", "deny"))


def test_it_names_every_code_and_token_it_ever_issued_and_every_call(sandbox, link):
    account_id, token = link("ada")

    issued = sandbox.tokens()

    assert [each["kind"] for each in issued] == ["code", "short", "long"]
    assert issued[2]["value"] == token
    assert sandbox.count("long_lived", account_id) == 1
    sandbox.clear_requests()
    assert sandbox.requests() == []


def test_faults_can_be_read_back_and_cleared(sandbox):
    sandbox.faults(**DEFAULTS)
    assert sandbox.call("GET", "faults/") == DEFAULTS
    assert set(DEFAULTS) == set(NAMES)

    sandbox.call("DELETE", "faults/")

    assert sandbox.call("GET", "faults/") == {}


class _Site(BaseHTTPRequestHandler):
    """Writes down what it was sent, and answers as a site would."""

    seen: list[tuple[str, dict[str, str], bytes]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.seen.append((self.path, dict(self.headers), self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thank you")

    def log_request(self, *_of_no_interest: object) -> None:
        """Quiet."""


@pytest.fixture
def site(sandbox: Sandbox) -> Iterator[list[tuple[str, dict[str, str], bytes]]]:
    server = HTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    sandbox.call("PUT", "site/", {"url": f"http://127.0.0.1:{server.server_port}"})
    _Site.seen.clear()
    yield _Site.seen
    server.shutdown()
    server.server_close()


def test_callbacks_are_signed_and_sent_and_the_answer_is_told(sandbox, site, link, gateway):
    account_id, _token = link("ada")

    answers = [
        sandbox.send(account_id, callback)
        for callback in ("webhook", "deauthorize", "data_deletion")
    ]

    assert answers == [{"status": 200, "body": "thank you"}] * 3
    (hook, headers, body), (deauthorize, _h, form), (deletion, _h2, _form) = site
    assert [hook, deauthorize, deletion] == [
        "/instagram/webhook/",
        "/instagram/deauthorize/",
        "/instagram/data-deletion/",
    ]
    assert webhook_is_genuine(body, headers["X-Hub-Signature-256"], [CLIENT_SECRET])
    signed = parse_qs(form.decode())["signed_request"][0]
    assert parse_signed_request(signed, [CLIENT_SECRET])["user_id"].startswith("27")
    assert {each["refused_with"] for each in sandbox.tokens() if each["kind"] == "long"} == {
        "190_458_app_removed"
    }


def test_a_site_that_is_away_is_told_and_no_fault_of_the_sandbox(sandbox):
    sandbox.call("PUT", "site/", {"url": "http://127.0.0.1:1"})

    assert sandbox.send(sandbox.id_of("ada"), "webhook")["status"] == 502
