"""Parses the rate-limit headers of Instagram's answers.

https://developers.facebook.com/docs/graph-api/overview/rate-limiting
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

APP_HEADER = "X-App-Usage"
BUSINESS_HEADER = "X-Business-Use-Case-Usage"
REGAIN = "estimated_time_to_regain_access"


@dataclass(frozen=True, slots=True)
class Percentages:
    """Percent of a limit; Meta throttles when any of the three reaches 100."""

    call_count: int = 0
    total_time: int = 0
    total_cputime: int = 0

    @property
    def highest(self) -> int:
        return max(self.call_count, self.total_time, self.total_cputime)


@dataclass(frozen=True, slots=True)
class Usage:
    """`None` if the answer said nothing; that is not 0 percent.

    `regain_minutes`: until Instagram will answer again, in **minutes**; 0 if not throttled.
    """

    app: Percentages | None = None
    business: Percentages | None = None
    regain_minutes: int = 0

    @property
    def highest(self) -> int | None:
        known = [part.highest for part in (self.app, self.business) if part is not None]
        return max(known, default=None)

    @property
    def wait(self) -> timedelta:
        return timedelta(minutes=self.regain_minutes)


UNKNOWN = Usage()


def parse_usage(headers: Mapping[str, str]) -> Usage:
    """Both headers may be absent; an unreadable one counts as absent.

    These headers are only advice: a garbled one must not fail a good answer.
    """
    business = list(_business(headers.get(BUSINESS_HEADER)))
    return Usage(
        app=_merged(_objects(_pairs(headers.get(APP_HEADER)))),
        business=_merged(business),
        regain_minutes=max((_number(each, REGAIN) for each in business), default=0),
    )


def parse_retry_after(header: str | None) -> timedelta:
    """Seconds; the form with a date has not been seen from Meta and counts as absent."""
    digits = header.strip() if header else ""
    return timedelta(seconds=int(digits[:6]) if digits.isascii() and digits.isdigit() else 0)


def _business(text: str | None) -> Iterable[dict[str, Any]]:
    """Up to 32 objects per business; Meta's own sample repeats a business id as a key."""
    document = _pairs(text)
    for _business_id, entries in document if isinstance(document, list) else ():
        for entry in entries if isinstance(entries, list) else ():
            yield from _objects(entry)


def _pairs(text: str | None) -> Any:
    """JSON with every object as a list of pairs, so that no repeated key is lost."""
    try:
        return json.loads(text or "null", object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None


class _Pairs(list[tuple[str, Any]]):
    """An object's members in order, as a type different from an array."""


def _objects(document: Any) -> list[dict[str, Any]]:
    return [dict(document)] if isinstance(document, _Pairs) and document else []


def _merged(objects: list[dict[str, Any]]) -> Percentages | None:
    """The highest of several, since the first limit that is reached stops the calls."""
    if not objects:
        return None
    names = ("call_count", "total_time", "total_cputime")
    return Percentages(*(max(_number(each, name) for each in objects) for name in names))


def _number(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    # A percentage or minutes; Python's JSON accepts NaN and infinity, which are neither.
    return max(0, int(value)) if value == value and abs(value) < 1e9 else 0
