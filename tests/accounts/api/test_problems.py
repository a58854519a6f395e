"""Whatever goes wrong under /api/ is a problem after RFC 9457."""

from __future__ import annotations

import pytest

from tests.support.api import API, problem

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["/api/nothing/", "/api/v1/nothing/", "/api/v1/me", "/api/v2/me/", "/api/"]
)
def test_an_unknown_address_is_a_problem_and_no_html(anonymous, address):
    problem(anonymous.get(address), 404, "unknown_address")
    problem(anonymous.post(address), 404, "unknown_address")


@pytest.mark.parametrize(
    "id_", ["0", "999999999999", "99999999999999999999999999", "x", "-1", "1e3", "%00"]
)
def test_an_id_that_cannot_be_is_simply_not_there(alices_program, id_):
    assert alices_program.get(f"{API}/accounts/{id_}/").status_code == 404


def test_a_method_that_a_route_does_not_know(alices_program):
    response = alices_program.put(f"{API}/me/", {})

    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


def test_a_method_unknown_to_a_public_route_says_what_is_allowed(anonymous):
    response = anonymous.post(f"{API}/deletions/ABCDEFGHJKMNPQRSTVWX/")

    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


def test_json_that_is_none(alices_program):
    response = alices_program.generic(
        "POST", f"{API}/accounts/", "{", content_type="application/json"
    )

    problem(response, 422, "parse_error")


def test_json_nested_too_deeply_to_be_read(alices_program):
    body = "[" * 100_000

    response = alices_program.generic(
        "POST", f"{API}/accounts/", body, content_type="application/json"
    )

    problem(response, 422, "parse_error")


def test_a_body_of_another_type(alices_program):
    response = alices_program.generic("POST", f"{API}/accounts/", "a=b", content_type="text/csv")

    problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_a_body_that_is_no_object(alices_program, body):
    problem(alices_program.post(f"{API}/accounts/", body, format="json"), 422, "invalid")


@pytest.mark.parametrize(
    ("method", "route", "body", "field"),
    [
        ("post", "deletions/", {"everything": "yes"}, "everything"),
        ("post", "deletions/", {"everything": 1}, "everything"),
        ("post", "accounts/", {"username": 5}, "username"),
        ("post", "deletions/", {"account": "5"}, "account"),
        ("post", "deletions/", {"account": True}, "account"),
    ],
)
def test_a_value_of_another_type_than_the_schema_says(alices_program, method, route, body, field):
    response = getattr(alices_program, method)(f"{API}/{route}", body, format="json")

    document = problem(response, 422, "invalid")
    assert [each["field"] for each in document["errors"]] == [field]


def test_unknown_fields_are_named(alices_program):
    answer = problem(
        alices_program.post(f"{API}/accounts/", {"username": "ada", "colour": "red"}),
        422,
        "invalid",
    )

    assert [(error["field"], error["code"]) for error in answer["errors"]] == [
        ("colour", "unknown_field")
    ]


def test_a_wish_for_html_is_answered_in_json(alices_program):
    response = alices_program.get(f"{API}/me/", HTTP_ACCEPT="text/html")

    assert response["Content-Type"] == "application/json"


def test_answers_are_not_kept_by_caches(alices_program, anonymous):
    assert "no-store" in alices_program.get(f"{API}/me/")["Cache-Control"]
    assert "no-store" in anonymous.get(f"{API}/me/")["Cache-Control"]


def test_a_fault_of_ours_is_a_problem_without_any_detail(alices_program, monkeypatch):
    from accounts.api.me import MeView

    def broken(self, request):
        raise RuntimeError("secret-inside")

    monkeypatch.setattr(MeView, "get", broken)
    alices_program.raise_request_exception = False

    response = alices_program.get(f"{API}/me/")

    problem(response, 500, "internal_error")
    assert b"secret-inside" not in response.content
