"""Usernames and texts in the forms of Instagram's exports."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HANDLE = re.compile(r"[a-z0-9._]{1,30}")
_HOSTS = frozenset({"instagram.com", "www.instagram.com", "m.instagram.com"})


def unmangle(text: str) -> str:
    """Undo the export's double encoding, in which each UTF-8 byte became a character.

    Only where every character is at most U+00FF and the bytes are valid UTF-8; else the text was
    right already.
    """
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def as_handle(text: object) -> str | None:
    """The username in lower case, or None for an impossible one."""
    if not isinstance(text, str):
        return None
    name = text.strip().removeprefix("@").lower()
    return name if HANDLE.fullmatch(name) else None


def handle_of_link(href: object) -> str | None:
    """The username at the end of a profile link, `_u/`, query and slash dropped."""
    if not isinstance(href, str):
        return None
    try:
        parts = urlsplit(href.strip())
    except ValueError:
        return None
    if parts.netloc.lower() not in _HOSTS:
        return None
    path = [piece for piece in parts.path.split("/") if piece]
    if path[:1] == ["_u"]:
        # `_u` is a possible username too: only the first one is the link's own.
        path = path[1:]
    return as_handle(path[0]) if len(path) == 1 else None
