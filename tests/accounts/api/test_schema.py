"""The OpenAPI description says what the API does, and its page works under the site's policy."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from accounts.api.base import ApiView
from accounts.api_scopes import SCOPES

WRITES = ("post", "put", "patch", "delete")

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def schema():
    GENERATOR_STATS.reset()
    found = SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS, "drf-spectacular has warned or failed"
    return found


def operations(schema):
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def views() -> list[type[ApiView]]:
    """Every view under /api/v1/."""
    api = next(p for p in get_resolver().url_patterns if str(p.pattern) == "api/")
    found = []
    for group in api.url_patterns:
        for pattern in getattr(group, "url_patterns", []):
            found.append(pattern.callback.view_class)
    return found


def test_the_description_is_valid_openapi_3_1(schema):
    assert schema["openapi"].startswith("3.1")
    validate_schema(json.loads(json.dumps(schema, default=str)))


def test_no_schema_refuses_the_null_that_it_allows(schema):
    """`oneOf` with a branch that takes anything takes null twice, which is to refuse it."""
    refusing = []
    for name, part in schema["components"]["schemas"].items():
        for field, described in part.get("properties", {}).items():
            branches = described.get("oneOf", [])
            if {"type": "null"} in branches:
                rules = {"oneOf": branches, "components": schema["components"]}
                if not Draft202012Validator(rules).is_valid(None):
                    refusing.append(f"{name}.{field}")

    assert refusing == []


@pytest.mark.parametrize(
    ("name", "field"), [("RunOutput", "evidence"), ("DeletionStatus", "receipt")]
)
def test_what_is_proven_later_is_null_or_an_object(schema, name, field):
    rules = Draft202012Validator(schema["components"]["schemas"][name]["properties"][field])

    assert [rules.is_valid(value) for value in (None, {"at": 1}, "text", [])] == [
        True, True, False, False,
    ]  # fmt: skip


def test_it_is_made_without_a_warning():
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=io.StringIO())


def test_every_route_of_the_contract_is_described(schema):
    paths = {path.replace("/api/v1", "") for path in schema["paths"]}
    account = "/accounts/{account_id}"

    assert {
        "/me/", "/accounts/", f"{account}/", f"{account}/sync/", f"{account}/runs/",
        f"{account}/runs/{{run_id}}/", f"{account}/consents/", f"{account}/consents/{{scope}}/",
        f"{account}/consents/history/", f"{account}/followers/", f"{account}/changes/",
        f"{account}/snapshots/", f"{account}/growth/", f"{account}/digest/", "/exports/",
        "/exports/{export_id}/", "/exports/{export_id}/download/", "/deletions/",
        "/deletions/{code}/",
    } <= paths  # fmt: skip


def test_every_operation_names_its_scope_and_its_problems(schema):
    for path, method, operation in operations(schema):
        if path == "/api/v1/deletions/{code}/":
            continue
        scopes = {s for need in operation["security"] for names in need.values() for s in names}
        assert scopes <= set(SCOPES), (path, method)
        assert len(scopes) == 1, (path, method)
        assert "401" in operation["responses"], (path, method)
        assert "application/problem+json" in operation["responses"]["403"]["content"]


def test_every_write_takes_an_idempotency_key(schema):
    for path, method, operation in operations(schema):
        names = [parameter["name"] for parameter in operation.get("parameters", [])]
        assert ("Idempotency-Key" in names) == (method in WRITES), (path, method)


def test_every_write_is_guarded_as_it_is_described():
    assert len(views()) > 15
    for view in views():
        for method in WRITES:
            if hasattr(view, method):
                assert getattr(view, method).is_idempotent, (view, method)
                assert view.scopes[method.upper()] in SCOPES, (view, method)


def test_the_description_is_served_to_everybody(client):
    response = client.get("/api/schema/")

    assert response.status_code == 200
    assert b"Threadsite API" in response.content
    assert client.get("/api/schema/?format=json").json()["openapi"].startswith("3.1")


def test_its_page_has_no_inline_script_or_style(client):
    response = client.get("/api/docs/")

    page = response.content.decode()
    assert response.status_code == 200
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=")
    assert "http://" not in page
    assert "https://" not in page
    assert "unsafe" not in response["Content-Security-Policy"]


def test_the_pages_own_script_is_served_as_one(client):
    response = client.get("/api/docs/?script=")

    assert response["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle(" in response.content
