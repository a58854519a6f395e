"""Validates the bodies of the sandbox's control routes; BadRequest before anything is changed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.envelopes import ENVELOPES
from accounts.instagram.sandbox.fault_kinds import SINGLE
from accounts.instagram.sandbox.life import VERBS
from accounts.instagram.sandbox.messages import BadRequest
from accounts.instagram.sandbox.oauth import TOKEN_SHAPES
from accounts.instagram.sandbox.world import MAX_FOLLOWERS, PERSONAE, PROFILE_SHAPES, World

USERNAME = re.compile(r"[a-z0-9._]{1,30}")
ANSWER_FIELDS = ("account", "route", "status", "body", "headers", "error", "fault", "change")


def only(body: dict[str, Any], *names: str) -> None:
    unknown = sorted(set(body) - set(names))
    if unknown:
        raise BadRequest(f"unknown: {', '.join(unknown)}; known: {', '.join(names)}")


def count(body: dict[str, Any], name: str) -> int:
    value = body.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_FOLLOWERS:
        raise BadRequest(f"{name} must be a whole number from 0 to {MAX_FOLLOWERS}")
    return value


def offset(body: dict[str, Any]) -> int | None:
    """How far the stated count differs from the list; None for the default."""
    value = body.get("offset")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise BadRequest("offset must be a whole number")
    return value


def number(body: dict[str, Any], name: str, lowest: float, highest: float) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadRequest(f"{name} must be a number")
    if not lowest <= value <= highest:
        raise BadRequest(f"{name} must be from {lowest} to {highest}")
    return float(value)


def username(value: Any) -> str:
    if not isinstance(value, str) or not USERNAME.fullmatch(value):
        raise BadRequest("username must be 1 to 30 of a-z, 0-9, dot and underscore")
    return value


def url(value: Any) -> str:
    if not isinstance(value, str) or urlsplit(value).scheme not in ("http", "https"):
        raise BadRequest("url must be an http address")
    return value


def envelope(value: Any) -> str:
    if value not in ENVELOPES:
        raise BadRequest(f"unknown error; there are: {', '.join(ENVELOPES)}")
    return str(value)


def person(value: Any, account: Account) -> int:
    """The number of the person with this id. Raises BadRequest (404)."""
    text = str(value)
    found = account.people.number_of(int(text)) if text.isascii() and text.isdigit() else None
    if found is None:
        raise BadRequest(f"nobody has the id {text}", 404)
    return found


def shared(body: dict[str, Any], other: Account, followers: int) -> list[int]:
    """The latest followers of `other`, without deactivated ones, oldest first."""
    wanted = count(body, "shared")
    inactive = other.people.inactive
    able = [number for number, _key in other.followers if number not in inactive]
    if wanted > len(able) or wanted > followers:
        raise BadRequest("shared is more than there are", 422)
    return able[:wanted][::-1]


def changes(body: dict[str, Any], account: Account) -> dict[str, int | list[int]]:
    """How many for each verb, or which people by id."""
    only(body, *VERBS)
    wanted: dict[str, int | list[int]] = {}
    seen: set[int] = set()
    for verb, value in body.items():
        if not isinstance(value, list):
            wanted[verb] = count(body, verb)
            continue
        people = [person(each, account) for each in value]
        if seen.intersection(people) or len(set(people)) < len(people):
            raise BadRequest("nobody can do two things in one change")
        seen.update(people)
        for each in people:
            follows = account.followers.key_of(each) is not None
            if follows == (verb in ("follow", "return")):
                state = "already follows" if follows else "does not follow"
                raise BadRequest(f"{account.people.id_of(each)} {state}", 409)
        wanted[verb] = people
    return wanted


def script(body: dict[str, Any], world: World) -> list[dict[str, Any]]:
    """`{"account": id?, "route": name?, "answers": [{…}]}`; the first two for all answers."""
    only(body, "account", "route", "answers")
    answers = body.get("answers")
    if not isinstance(answers, list) or not all(isinstance(each, dict) for each in answers):
        raise BadRequest("answers must be a list of objects")
    common = {name: body[name] for name in ("account", "route") if body.get(name) is not None}
    checked = []
    for each in answers:
        answer = {**common, **each}
        only(answer, *ANSWER_FIELDS)
        if "error" in answer:
            envelope(answer["error"])
        if "fault" in answer and answer["fault"] not in SINGLE:
            raise BadRequest(f"unknown fault; there are: {', '.join(SINGLE)}")
        if answer.get("account") is not None:
            answer["account"] = world.account(str(answer["account"])).id
        checked.append(_with_change(answer, world))
    return checked


def _with_change(answer: dict[str, Any], world: World) -> dict[str, Any]:
    """People are looked up now; whether they still follow is checked at the call."""
    change = answer.get("change")
    if change is None:
        return answer
    if not isinstance(change, dict) or answer.get("account") is None:
        raise BadRequest("a change needs an account and an object")
    account = world.accounts[answer["account"]]
    only(change, *VERBS)
    numbers = {
        verb: [person(each, account) for each in value]
        if isinstance(value, list)
        else count(change, verb)
        for verb, value in change.items()
    }
    return answer | {"change": numbers}


def shapes(body: dict[str, Any]) -> dict[str, str]:
    only(body, "token", "profile")
    known = {"token": TOKEN_SHAPES, "profile": PROFILE_SHAPES}
    for kind, value in body.items():
        if value not in known[kind]:
            raise BadRequest(f"{kind} must be one of: {', '.join(known[kind])}")
    return {kind: str(value) for kind, value in body.items()}


def personae(body: dict[str, Any]) -> dict[str, int]:
    only(body, "seed", "personae")
    given = body.get("personae", PERSONAE)
    if not isinstance(given, dict):
        raise BadRequest("personae must be an object of usernames and followers")
    return {username(name): count(given, name) for name in given}
