"""Dates of the HTML export, such as `Aug 01, 2026 3:06 pm`.

The month is localised, the precision one minute. The zone stands nowhere: in one account's real
pair of exports all 50 rows equalled the JSON's second at a fixed UTC-8, in summer too. Measured on
one account only, so these times are marked as approximate wherever they are kept.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

ZONE = timezone(timedelta(hours=-8))
_DATE = re.compile(
    r"(?P<month>[^\W\d]+|\d{1,2}月)\.?\s+(?P<day>\d{1,2}),\s+(?P<year>\d{4}),?\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?:\s*(?P<half>[ap])\.?\s?m\.?)?",
    re.IGNORECASE,
)
# English, Spanish and Japanese are seen in exports; the others are the platform's usual forms.
_MONTHS = (
    "jan ene janv gen январь янв",
    "feb fév févr fev фев",
    "mar mär mars mrz мар",
    "apr abr avr avril апр",
    "may mai mag май мая",
    "jun juin giu июн",
    "jul juil lug июл",
    "aug ago août авг",
    "sep sept set сен",
    "oct okt out ott окт",
    "nov ноя",
    "dec dic dez déc дек",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}


@lru_cache(maxsize=4096)
def seconds_of(text: str) -> int | None:
    """Unix seconds at the start of the stated minute, or None where this is no such date."""
    found = _DATE.fullmatch(text.strip().replace("\u202f", " ").replace("\xa0", " "))
    month = _month(found["month"]) if found else None
    if found is None or month is None:
        return None
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
    try:
        local = datetime(
            int(found["year"]), month, int(found["day"]), hour, int(found["minute"]), tzinfo=ZONE
        )
    except ValueError:
        return None
    return int(local.astimezone(UTC).timestamp())


def _month(text: str) -> int | None:
    number = text.removesuffix("月")
    if number.isdecimal():
        return int(number) if 1 <= int(number) <= 12 else None
    return _MONTH.get(text.lower())
