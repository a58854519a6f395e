"""Dates in a page's own language: a month that is not known loses a member their whole import."""

from __future__ import annotations

import io
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.sources.archive import open_archive
from followersync.sources.archive.html_dates import seconds_of
from tests.support.exports import FOLDER, mangle, merged

GERMAN = (
    ("Jan", "Jan.", "Januar", "Jänner"),
    ("Feb", "Feb.", "Februar"),
    ("Mär", "Mrz", "März", "März."),
    ("Apr", "Apr.", "April"),
    ("Mai",),
    ("Jun", "Jun.", "Juni"),
    ("Jul", "Jul.", "Juli"),
    ("Aug", "Aug.", "August"),
    ("Sep", "Sep.", "Sept.", "September"),
    ("Okt", "Okt.", "Oktober"),
    ("Nov", "Nov.", "November"),
    ("Dez", "Dez.", "Dezember"),
)
OTHERS = {
    "en": "january february march april may june july august september october november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
    "dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro "
    "dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}


def second(month: int, day: int, hour: int, minute: int) -> int:
    return int(datetime(2026, month, day, hour + 8, minute, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "form",
    [
        "{month} 09, 2026 3:06 pm",
        "{month} 9, 2026, 3:06 PM",
        "{month} 09, 2026 15:06",
        "9. {month} 2026, 15:06",
        "09. {month} 2026 um 15:06 Uhr",
        "9. {month} 2026 15:06:59",
    ],
)
@pytest.mark.parametrize("number", range(1, 13))
def test_every_german_month_is_read_in_every_order(number, form):
    for month in GERMAN[number - 1]:
        for spelt in (month, month.upper(), unicodedata.normalize("NFD", month), mangle(month)):
            assert seconds_of(form.format(month=spelt)) == second(number, 9, 15, 6), spelt


def test_a_german_date_in_figures_has_the_day_first():
    assert seconds_of("09.03.2026, 15:06") == second(3, 9, 15, 6)


@pytest.mark.parametrize("language", OTHERS)
def test_the_full_months_of_the_other_languages_are_read(language):
    for number, month in enumerate(OTHERS[language].split(), 1):
        assert seconds_of(f"{month} 09, 2026 3:06 pm") == second(number, 9, 15, 6), month
        assert seconds_of(f"9 de {month} de 2026, 15:06") == second(number, 9, 15, 6), month


@pytest.mark.parametrize(
    "text",
    ["", "anna", "Hein 09, 2026 3:06 pm", "Juni 31, 2026 3:06 pm", "13.13.2026, 15:06", "x" * 500],
)
def test_what_is_no_date_is_none(text):
    assert seconds_of(text) is None


@given(st.text(max_size=80))
def test_no_text_is_an_error(text):
    seconds_of(text)


@pytest.mark.parametrize("month", ["März", "Juni", "Juli", "Dezember"])
def test_a_german_page_is_read_whole(month):
    box = (
        '<div class="pam _3-95 _2ph- _a6-g uiBoxWhite noborder"><div class="_a6-p"><div><div>'
        '<a target="_blank" href="https://www.instagram.com/{name}">{name}</a></div>'
        "<div>{when}</div></div></div></div>"
    )
    rows = "".join(
        box.format(name=f"person_{day}", when=f"{month} {day:02}, 2025 6:32 pm")
        for day in range(1, 20)
    )
    page = f'<html><body><main role="main">{rows}</main></body></html>'.encode()

    archive = open_archive(io.BytesIO(page), name=f"{FOLDER}followers_1.html", now=1_787_000_000)

    people = merged(archive)
    assert len(people) == 19
    assert None not in people.values()
