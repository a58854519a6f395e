"""Documented answers of Meta that Threadsite does not request itself.

For those who use more of the API (media, messaging profiles, Threads).
"""

from __future__ import annotations

from typing import Any

from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.messages import Request, Response, as_json


def answer(request: Request, path: str, account: Account) -> Response | None:
    """None for undocumented paths."""
    names = path.strip("/").split("/")
    mine = names[0] in ("me", account.id, account.app_scoped_id)
    if mine and names[1:] == ["media"]:
        return as_json(_media(account))
    if mine and names[1:] == ["threads_insights"]:
        return as_json(_threads_insights(account))
    if names == ["debug_token"]:
        return as_json(_debug_token())
    if mine and len(names) == 1:
        document = _user(account)
        wrapped = "ig_id" in (request.get("fields") or "")
        return as_json({"data": [document | _more(account)]} if wrapped else document)
    if len(names) == 1 and "is_user_follow_business" in (request.get("fields") or ""):
        return _messaging_profile(names[0], account)
    return None


def _media(account: Account) -> dict[str, Any]:
    data = [{"id": str(int(account.id) + 10**12 + i)} for i in range(min(account.media_count, 6))]
    return {"data": data, "paging": {"cursors": {"before": "QVFIUkd", "after": "QVFIUml"}}}


def _user(account: Account) -> dict[str, Any]:
    return {
        "biography": "A persona of the sandbox",
        "id": account.id,
        "username": account.username,
        "website": "http://www.example.invalid/",
    }


def _more(account: Account) -> dict[str, Any]:
    return {
        "ig_id": int(account.id) % 10**8,
        "followers_count": account.followers_count,
        "follows_count": account.follows_count,
        "media_count": account.media_count,
        "name": account.username.capitalize(),
        "profile_picture_url": "https://scontent.example.invalid/v/t51.jpg",
    }


def _messaging_profile(person_id: str, account: Account) -> Response | None:
    """Whether a person who wrote to the account follows it."""
    number = account.people.number_of(int(person_id)) if person_id.isdigit() else None
    if number is None:
        return None
    username = account.people.username_of(number)
    return as_json(
        {
            "name": username,
            "username": username,
            "profile_pic": "https://scontent.example.invalid/v/t51.jpg",
            "follower_count": 1234,
            "is_user_follow_business": account.followers.key_of(number) is not None,
            "is_business_follow_user": False,
        }
    )


def _threads_insights(account: Account) -> dict[str, Any]:
    return {
        "data": [
            {
                "name": "followers_count",
                "period": "day",
                "title": "followers_count",
                "description": "Your total number of followers.",
                "total_value": {"value": account.followers_count},
                "id": f"{account.id}/threads_insights/followers_count/day",
            }
        ]
    }


def _debug_token() -> dict[str, Any]:
    return {
        "data": {
            "type": "USER",
            "application": "Threadsite",
            "data_access_expires_at": 1754846089,
            "expires_at": 1752254132,
            "is_valid": True,
            "issued_at": 1747070132,
            "scopes": ["threads_basic", "threads_manage_insights"],
        }
    }
