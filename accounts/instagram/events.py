"""Parses the events of Instagram's webhooks, in both formats. Pure.

Instagram Login puts `field` and `value` into the entry, Facebook Login a list of `changes`;
messages come as `messaging`. The documentation prints the body inside an outer array, so a list is
accepted too. No field names a follow: an event only says that something happened at an account.
https://developers.facebook.com/docs/instagram-platform/webhooks
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

#: Instagram sends up to 1,000 at once.
MOST_EVENTS: Final = 2_000
_ID: Final = re.compile(r"[0-9]{1,32}")


class WrongEvents(ValueError):
    """Signed, but of unknown structure."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the account (Instagram's id), and a key that is the same when it is resent."""

    instagram_id: str
    key: str


def parse(raw_body: bytes) -> list[Event]:
    """The events of a webhook's body, in order. Raises WrongEvents."""
    try:
        document = json.loads(raw_body)
    except (ValueError, RecursionError):
        raise WrongEvents("not JSON") from None
    events: list[Event] = []
    for payload in document if isinstance(document, list) else [document]:
        events.extend(_of_payload(payload))
        if len(events) > MOST_EVENTS:
            raise WrongEvents("more events than are sent at once")
    return events


def _of_payload(payload: Any) -> Iterator[Event]:
    if not isinstance(payload, dict) or not isinstance(payload.get("entry"), list):
        raise WrongEvents("no entries")
    for entry in payload["entry"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str | int):
            raise WrongEvents("an entry without an id")
        instagram_id = str(entry["id"])
        if not _ID.fullmatch(instagram_id):
            raise WrongEvents("an entry with an id that is none")
        for part in _parts(entry):
            yield Event(instagram_id, _key(payload.get("object"), entry, part))


def _parts(entry: dict[str, Any]) -> list[Any]:
    """The events of an entry; the entry itself if it has none of a known kind."""
    for name in ("changes", "messaging"):
        parts = entry.get(name)
        if isinstance(parts, list) and parts:
            return parts
    return [entry]


def _key(kind: object, entry: dict[str, Any], part: Any) -> str:
    """No event carries an id of its own, and a resent one differs at most in its send time."""
    value = part.get("value") if isinstance(part, dict) else None
    named = None
    if isinstance(value, dict):
        named = value.get("id") or value.get("comment_id") or value.get("mid")
    if named is None and isinstance(part, dict) and isinstance(part.get("message"), dict):
        named = part["message"].get("mid")
    field = part.get("field") if isinstance(part, dict) else None
    identity = [kind, entry["id"], field, named] if named else [kind, entry["id"], part]
    text = json.dumps(identity, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
