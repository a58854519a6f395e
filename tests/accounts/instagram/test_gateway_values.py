"""One value that cannot be what it stands for: a member would get a list that we cannot store."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from accounts import errors
from accounts.instagram import schemas
from accounts.instagram.gateway import Gateway
from accounts.instagram.usage import UNKNOWN

ID = "17841400000000001"
NOT_NAMES = {
    "nul": "na\x00me",
    "control": "na\x1bme",
    "line feed at its end": "name\n",
    "two names": "one\ntwo",
    "space": "na me",
    "spaces around it": " name ",
    "invisible": "na\u200bme",
    "right to left": "na\u202eme",
    "letter of no username": "näme",
    "slash": "../name",
    "65 characters": "x" * 65,
    "200 characters": "x" * 200,
    "empty": "",
    "number": 5,
    "nothing": None,
    "object": {"name": "name"},
    "list": ["name"],
}
NOT_IDS = {
    "true": True,
    "fraction": 1.5,
    "whole fraction": 1.0,
    "fraction in text": "1.0",
    "negative": -5,
    "negative text": "-5",
    "zero": 0,
    "over bigint": 2**63,
    "over bigint in text": str(2**63),
    "enormous": "9" * 400,
    "leading zero": "017841400000000001",
    "spaces around it": f" {ID} ",
    "line feed at its end": f"{ID}\n",
    "digits of another script": "\u0661\u0662\u0663",
    "nul": f"{ID}\x00",
    "two ids": f"{ID}\n{ID}",
    "word": "name",
    "empty": "",
    "nothing": None,
    "object": {"id": ID},
    "list": [ID],
}


def page(*rows: Any, after: str | None = None) -> bytes:
    good = {"id": "17841400000000002", "username": "somebody.else"}
    paging: dict[str, Any] = {"cursors": {}}
    if after is not None:
        paging = {"cursors": {"after": after}, "next": "https://graph.example/?after=x"}
    return json.dumps({"data": [good, *rows], "paging": paging}).encode()


def profile(**changed: Any) -> bytes:
    whole = {"user_id": ID, "id": "900001", "username": "ada", "account_type": "BUSINESS"}
    return json.dumps({**whole, "followers_count": 3, **changed}).encode()


def metric(**changed: Any) -> bytes:
    result = {"dimension_values": ["FOLLOWER"], "value": 3} | changed
    total = {"breakdowns": [{"dimension_keys": ["follow_type"], "results": [result]}]}
    named = {"name": "follows_and_unfollows", "period": "day", "total_value": total}
    return json.dumps({"data": [named]}).encode()


@pytest.mark.parametrize("name", NOT_NAMES.values(), ids=NOT_NAMES)
def test_nobody_is_called_so(name: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        schemas.follower_page(page({"id": ID, "username": name}), UNKNOWN)
    with pytest.raises(msgspec.ValidationError):
        schemas.profile(profile(username=name), UNKNOWN)


@pytest.mark.parametrize("number", NOT_IDS.values(), ids=NOT_IDS)
def test_nobody_has_such_an_id(number: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        schemas.follower_page(page({"id": number, "username": "name"}), UNKNOWN)
    with pytest.raises(msgspec.ValidationError):
        schemas.profile(profile(user_id=number), UNKNOWN)


@pytest.mark.parametrize("row", [None, [], "name", 5, {}, {"username": "name"}, {"id": ID}])
def test_a_row_that_is_none_is_not_left_out(row: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        schemas.follower_page(page(row), UNKNOWN)


@pytest.mark.parametrize("cursor", ["", "a\x00b", "a b", "a\n", "ä", "x" * 5000])
def test_a_cursor_that_could_not_be_kept_is_not_followed(cursor: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        schemas.follower_page(page(after=cursor), UNKNOWN)


@pytest.mark.parametrize("count", [-1, 2**31, 10**30, 1.5, True, "3", {}])
def test_a_count_that_is_none_is_neither_stored_nor_taken_for_a_zero(count: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        schemas.follower_count(profile(id="17", followers_count=count), UNKNOWN)
    with pytest.raises(msgspec.ValidationError):
        schemas.insights(metric(value=count), UNKNOWN)


@pytest.mark.parametrize("label", ["Ber\x00lin", "Ber\nlin", "x" * 201, None, 5])
def test_figures_of_a_place_that_could_not_be_kept_are_not_read(label: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        schemas.insights(metric(dimension_values=[label]), UNKNOWN)


@pytest.mark.parametrize(
    "changed",
    [
        {"access_token": "to\x00ken"},
        {"user_id": 1.0},
        {"permissions": ["x" * 65]},
        {"permissions": "instagram_business_basic,na\x00me"},
    ],
)
def test_a_token_answer_that_could_not_be_kept_links_nothing(changed: dict[str, Any]) -> None:
    whole = {"access_token": "IGAA", "user_id": ID, "permissions": ["instagram_business_basic"]}
    with pytest.raises(msgspec.ValidationError):
        schemas.short_lived_token(json.dumps(whole | changed).encode(), UNKNOWN)


@pytest.mark.parametrize("seconds", [0, -1, 10**12, True])
def test_no_token_lives_for_ever(seconds: Any) -> None:
    body = json.dumps({"access_token": "IGAA", "expires_in": seconds}).encode()
    with pytest.raises(msgspec.ValidationError):
        schemas.long_lived_token(body, UNKNOWN)


def test_what_instagram_does_send_is_read() -> None:
    rows = [
        {"id": ID, "username": "a.b_c9"},
        {"id": 17841400000000003, "username": "X" * 30},
        {"id": str(2**63 - 1), "username": "__deleted__"},
        {"id": ID, "username": "a.b_c9"},
    ]
    read = schemas.follower_page(page(*rows, after="QVFIUk9-_=="), UNKNOWN)

    assert read.rows[1:] == [(int(row["id"]), row["username"]) for row in rows]
    assert read.after == "QVFIUk9-_=="
    shares = schemas.insights(metric(dimension_values=["São Paulo, São Paulo (state)"]), UNKNOWN)
    assert shares.metrics[0].breakdowns[0].results[0][0] == ("São Paulo, São Paulo (state)",)


DEEP = "[" * 100_000 + "]" * 100_000


def rows_of(name: str) -> str:
    """An answer whose text stands so on the line; `\\udcff` becomes the byte 0xff."""
    return f'{{"data":[{{"id":"{ID}","username":"{name}"}}]}}'


CALLS: dict[str, Callable[[Gateway, str, str], object]] = {
    "followers": lambda own, token, each: own.followers(token, each, "followers", 1000, None),
    "me": lambda own, token, each: own.me(token),
    "insights": lambda own, token, each: own.insights(token, each, metrics=["reach"]),
}
WHOLE_BUT_NO_TEXT = {
    "half a character": rows_of(r"a\ud800b"),
    "half a character at the end": rows_of(r"\ud800"),
    "bytes of no text": rows_of("a\udcff"),
    "nested": f'{{"data":[],"more":{DEEP}}}',
    "nested row": f'{{"data":{DEEP}}}',
}


@pytest.mark.parametrize("body", WHOLE_BUT_NO_TEXT.values(), ids=WHOLE_BUT_NO_TEXT)
@pytest.mark.parametrize("route", ["followers", "me", "insights"])
def test_a_whole_answer_that_is_no_text_is_of_no_known_shape(sandbox, gateway, link, body, route):
    account_id, token = link("ada")
    sandbox.script([{"body": body}], account=account_id, route=route)

    with pytest.raises(errors.WrongShape):
        CALLS[route](gateway, token, account_id)


def test_an_answer_that_was_cut_off_is_asked_for_again(sandbox, gateway, link):
    account_id, token = link("ada")
    whole = page({"id": ID, "username": "name"}).decode()
    sandbox.script([{"body": whole[:-9]}], account=account_id)

    with pytest.raises(errors.RetryLater):
        CALLS["followers"](gateway, token, account_id)


@pytest.mark.parametrize(
    ("status", "reaction"), [(400, errors.WrongShape), (500, errors.RetryLater)]
)
def test_a_refusal_that_is_nested_too_deeply_is_a_refusal(sandbox, gateway, link, status, reaction):
    account_id, token = link("ada")
    sandbox.script([{"body": f'{{"error":{DEEP}}}', "status": status}], account=account_id)

    with pytest.raises(reaction):
        CALLS["me"](gateway, token, account_id)


def test_neither_token_nor_body_of_a_refused_answer_reaches_the_log(sandbox, gateway, link, caplog):
    caplog.set_level(logging.DEBUG)
    account_id, token = link("ada")
    body = page({"id": ID, "username": "secret\x00" + "name" * 40}).decode()
    sandbox.script([{"body": body}], account=account_id)

    with pytest.raises(errors.WrongShape) as refused:
        CALLS["followers"](gateway, token, account_id)

    assert "`$.data[...].username`" in caplog.text
    for text in (caplog.text, repr(refused.value), *refused.value.__notes__):
        assert "secret" not in text
        assert ID not in text
        assert token not in text
