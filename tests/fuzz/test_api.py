"""Whatever is sent to the API, it answers as its description says, and never by a fault of ours."""

from __future__ import annotations

import json
import string
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from followersync.services.sync.settings import settings_of
from tests.support.api import program
from tests.support.sync import write

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: Named nowhere in the description, since every route may meet them.
ALWAYS = {405, 413}

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["", "\x00", "\ud800", "0", "-1", "1e9", "2026-01-01", "9999-12-31", "now"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
in_path = st.one_of(
    st.integers(0, 2**70).map(str),
    st.text(string.printable, min_size=1, max_size=30),
    st.sampled_from(["followers", "u_1", "u_", "history", "%00", "é", "."]),
)


class Rollback(Exception):
    """Ends the transaction of one example."""


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [
        (path, method, {**operation, "components": schema["components"]["schemas"]})
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def body_fields(operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for media in content.values():
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        return list(operation["components"].get(name, {}).get("properties", {}))
    return []


def address(data: Any, path: str, operation: dict[str, Any], account_id: int) -> str:
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "path":
            known = [st.just(str(account_id))] * 3 if name == "account_id" else []
            value = data.draw(st.one_of(*known, in_path))
            path = path.replace("{" + name + "}", quote(value, safe=""))
    queries = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
    chosen = data.draw(st.lists(st.sampled_from([*queries, "unknown"]), max_size=3, unique=True))
    pairs = [(name, data.draw(odd)) for name in chosen]
    query = "&".join(f"{name}={quote(str(value), errors='replace')}" for name, value in pairs)
    return f"{path}?{query}" if query else path


@pytest.mark.parametrize(
    ("path", "method", "operation"),
    [pytest.param(*each, id=each[2]["operationId"]) for each in operations()],
)
def test_every_operation_stands_whatever_is_sent(alice, followed, path, method, operation):
    settings_of(followed)
    write(followed, people=[(1, "anna"), (2, "ben")])
    client = program(alice)
    documented = {int(status) for status in operation["responses"]} | ALWAYS | {404}
    fields = body_fields(operation)
    wanted = st.dictionaries(st.sampled_from([*fields, "unknown"]), odd, max_size=4)

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def stands(data: Any) -> None:
        where = address(data, path, operation, followed.pk)
        body = data.draw(st.one_of(wanted, odd))
        sent: dict[str, Any] = {"data": json.dumps(body), "content_type": "application/json"}
        if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
            upload = SimpleUploadedFile("a.zip", data.draw(st.binary(max_size=50)))
            sent = {"data": {"archive": upload}, "format": "multipart"}
        try:
            with transaction.atomic():
                response = getattr(client, method)(where, **({} if method == "get" else sent))
                raise Rollback
        except Rollback:
            pass
        assert response.status_code < 500, (where, body)
        assert response.status_code in documented, (where, body, response.status_code)
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json", (where, body)

    stands()
