"""Dates of the HTML export, such as `Aug 01, 2026 3:06 pm`.

The month is localised, the precision one minute. The zone is not stated: in one account's real
pair of exports all 50 rows equalled the JSON's second at a fixed UTC-8, in summer too. Measured on
one account only, so these times are marked as approximate wherever they are stored.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from followersync.sources.archive.usernames import unmangle

ZONE = timezone(timedelta(hours=-8))
_LONGEST = 60
_MONTH_WORD = r"(?P<month>[^\W\d]+|\d{1,2}月)\.?"
_DAY = r"(?P<day>\d{1,2})\.?"
_YEAR = r"(?P<year>\d{4})"
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?"
    r"(?:\s*(?P<half>[ap])\.?\s?m\.?|\s+(?:uhr|h))?"
)
_BETWEEN = r"(?:,|\s+(?:um|at|a\s+las|à|alle|às))?\s+"
# The first is the order of every export seen, whatever its language. The others are how German
# and its neighbours write a date elsewhere: day first, with the month as a word or in figures.
_DATES = tuple(
    re.compile(f"{day}{_BETWEEN}{_TIME}", re.IGNORECASE)
    for day in (
        rf"{_MONTH_WORD}\s+{_DAY},?\s+{_YEAR}",
        rf"{_DAY}\s+(?:de\s+)?{_MONTH_WORD}(?:\s+de)?\s+{_YEAR}",
        rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.{_YEAR}",
    )
)
# English, Spanish and Japanese were seen in exports; the others are the names and abbreviations of
# Unicode's locale data (CLDR). One name never means two months.
_MONTHS = (
    "jan january januar jänner jän ene enero janv janvier gen gennaio janeiro januari янв января "
    "январь",
    "feb february februar feber febrero fév févr février febbraio fev fevereiro februari фев февр "
    "февраля февраль",
    "mar march mär märz mrz marzo mars março maart mrt мар март марта",
    "apr april abr abril avr avril aprile апр апреля апрель",
    "may mai mayo mag maggio maio mei мая май",
    "jun june juni junio juin giu giugno junho июн июня июнь",
    "jul july juli julio juil juillet lug luglio julho июл июля июль",
    "aug august ago agosto août augustus авг августа август",
    "sep sept september septiembre septembre set settembre setembro сен сент сентября сентябрь",
    "oct october okt oktober octubre octobre out ott ottobre outubro окт октября октябрь",
    "nov november noviembre novembre novembro ноя нояб ноября ноябрь",
    "dec december dez dezember dic diciembre déc décembre dicembre dezembro дек декабря декабрь",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}


@lru_cache(maxsize=4096)
def seconds_of(text: str) -> int | None:
    """Unix seconds at the start of the stated minute, or None where this is no such date."""
    if len(text) > _LONGEST:
        return None
    plain = unicodedata.normalize("NFC", unmangle(text.strip()))
    plain = plain.replace("\u202f", " ").replace("\xa0", " ")
    found = next((match for form in _DATES if (match := form.fullmatch(plain))), None)
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
