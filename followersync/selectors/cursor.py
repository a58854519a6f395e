"""Opaque cursors of the follower list: encode and decode."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after (or, `backward`, before) the row of this order and key.

    `position` is the feed's at the first page, so that a client can replay from there what changed
    while it was paging.
    """

    order: float | str
    key: int
    backward: bool
    position: int


def encode(cursor: Cursor) -> str:
    fields = [cursor.order, str(cursor.key), int(cursor.backward), cursor.position]
    text = json.dumps(fields, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """Raises InvalidInput for a cursor that no page returned."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        order, key, backward, position = json.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(order, int | float | str) or not isinstance(position, int):
            raise ValueError("not a cursor")
        number = int(key)
        if not -(2**63) <= number < 2**63:
            raise ValueError("out of range")
        return Cursor(order, number, bool(backward), position)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise refused() from None


def refused() -> InvalidInput:
    """The error for an invalid cursor."""
    return InvalidInput(
        "invalid_cursor",
        _("This page link is not one of ours. Start again from the first page."),
        "cursor",
    )
