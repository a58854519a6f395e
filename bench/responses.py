"""Whole API answers beside a bare Django view that sends the same main statement.

The bare view has the middleware of a new Django project, checks no token and returns the rows as
JSON. Both go through Django's own handler, in turn.
"""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from bench.results import Results, WrongResult

if TYPE_CHECKING:
    from bench.queries import Filled

TIMES = 60
STOCK = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
_main: list[tuple[str, Any]] = []


def bare(request: HttpRequest) -> JsonResponse:
    """The rows of the main statement, each as an object."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(*_main[0])
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return JsonResponse({"results": rows})


urlpatterns = [path("bare/", bare), path("", include("threadsite.urls"))]


def measure(results: Results, filled: Filled, n: int, runs: int) -> None:
    """The worst of the six reads counts."""
    from django.test import override_settings

    from accounts.services.programs import issue_token

    token = issue_token(user=filled.account.owner, scopes=["followers:read"])
    worst: list[float] = []
    floors: list[float] = []
    with override_settings(ROOT_URLCONF="bench.responses"):
        for _ in range(runs):
            ratio, floor = _worst([(url, *_pair(url, token)) for url in _urls(filled)])
            worst.append(ratio)
            floors.append(floor)
    results.add("api_page_over_bare_view", n, worst, "ratio", floor=statistics.median(floors))


def _worst(measured: list[tuple[str, float, float]]) -> tuple[float, float]:
    """(ratio, seconds of the bare view); prints all of them."""
    for url, ours, floor in measured:
        print(f"#   {ours / floor:5.2f}  {ours * 1000:6.2f} ms  {url.partition('/accounts/')[2]}")
    return max((ours / floor, floor) for _url, ours, floor in measured)


def _urls(filled: Filled) -> list[str]:
    from bench.queries import BEGUN, PAGE, last_day

    base = f"/api/v1/accounts/{filled.account.pk}"
    middle = (BEGUN + timedelta(days=180)).strftime("%Y-%m-%dT%H:%M:%SZ")
    first = f"{base}/followers/?limit={PAGE}"
    return [
        first,
        f"{first}&cursor={_deep(filled)}",
        f"{base}/followers/{filled.key}/",
        f"{first}&q=anna",
        f"{first}&at={middle}",
        f"{base}/growth/?from={BEGUN.date()}&to={last_day()}",
    ]


def _deep(filled: Filled) -> str:
    from bench.ground import sql
    from followersync.selectors.cursor import Cursor, encode

    place = sql(
        "SELECT place FROM followersync_follower WHERE account_id = %s"
        " ORDER BY place OFFSET %s LIMIT 1",
        filled.account.pk,
        len(filled.population) // 4,
    )
    return encode(Cursor(place, 0, False, 0))


def _pair(url: str, token: str) -> tuple[float, float]:
    """Median seconds of (our answer, the bare one), taken in turn."""
    from django.test import Client, override_settings

    from bench.queries import explained, statements

    program = Client(headers={"Authorization": f"Bearer {token}"})
    with statements() as sent:
        answer = program.get(url)
    if answer.status_code != 200:
        raise WrongResult(f"{url}: {answer.status_code} {answer.content[:200]!r}")
    reads = [each for each in sent if "followersync_" in each[0] and "SELECT" in each[0]]
    _main[:] = [max(reads, key=lambda each: explained(*each))]
    ours: list[float] = []
    floor: list[float] = []
    with override_settings(MIDDLEWARE=STOCK):
        plain = Client()
        plain.get("/bare/")
    for _ in range(TIMES):
        ours.append(_seconds(program, url))
        floor.append(_seconds(plain, "/bare/"))
    return statistics.median(ours), statistics.median(floor)


def _seconds(client: Any, url: str) -> float:
    begun = time.perf_counter()
    answer = client.get(url)
    seconds = time.perf_counter() - begun
    if answer.status_code != 200:
        raise WrongResult(f"{url}: {answer.status_code}")
    return seconds
