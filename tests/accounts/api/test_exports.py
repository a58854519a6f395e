"""A member's copy of their data, asked for and fetched over the API."""

from __future__ import annotations

import pytest

from accounts.models import DataExport
from tests.support.api import API, browser, confirm, problem, program

EXPORTS = f"{API}/exports/"

pytestmark = pytest.mark.django_db


def test_an_export_is_asked_for_and_listed(alices_program, alice):
    response = alices_program.post(EXPORTS)

    body = response.json()
    assert response.status_code == 202, body
    assert body["state"] == "queued"
    assert body["download"] is None
    assert alices_program.get(response["Location"]).json()["id"] == body["id"]
    assert [row["id"] for row in alices_program.get(EXPORTS).json()["results"]] == [body["id"]]


def test_a_second_export_waits_for_the_first(alices_program):
    alices_program.post(EXPORTS)

    problem(alices_program.post(EXPORTS), 409, "export_running")


def test_what_is_not_ready_cannot_be_fetched(alices_program):
    where = alices_program.post(EXPORTS)["Location"]

    problem(alices_program.get(f"{where}download/"), 409, "export_not_ready")


def test_nobody_reaches_anothers_export(alices_program, bobs_program, anonymous, alice):
    where = alices_program.post(EXPORTS)["Location"]

    for address in (where, f"{where}download/"):
        problem(bobs_program.get(address), 404, "not_found")
        problem(anonymous.get(address), 401, "not_authenticated")
        problem(program(alice, "accounts:read").get(address), 403, "scope_missing")
    assert bobs_program.get(EXPORTS).json()["results"] == []
    problem(anonymous.post(EXPORTS), 401, "not_authenticated")
    problem(program(alice, "accounts:write").post(EXPORTS), 403, "scope_missing")
    assert DataExport.objects.count() == 1


def test_a_browser_left_open_carries_nothing_away(alice, alices_program):
    where = alices_program.post(EXPORTS)["Location"]
    left_open = browser(alice)

    for answer in (left_open.post(EXPORTS), left_open.get(f"{where}download/")):
        problem(answer, 403, "reauthentication_required")
    problem(confirm(left_open).get(f"{where}download/"), 409, "export_not_ready")
