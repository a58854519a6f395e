"""Traces for an operator who asks for them: sent where they say, and without secrets.

A process of its own sends to a collector of the test's own, by OTLP over HTTP.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from threadsite import environment

pytestmark = pytest.mark.slow  # each is a start of Django

ASK = """
import django
django.setup()
from django.test import Client
from opentelemetry import trace
Client(raise_request_exception=False).get("/deletion/secret-code/?token=t0k3n")
from django_q.signals import post_execute_in_worker, pre_execute
pre_execute.send(sender="django_q", func=print, task={"id": "a1", "func": "some.task"})
post_execute_in_worker.send(sender="django_q", func=print, task={"id": "a1"})
trace.get_tracer_provider().shutdown()
"""
QUIET = "import django, sys; django.setup(); print('threadsite.telemetry' in sys.modules)"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """(address, bodies received)."""
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_told: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def run(code: str, **variables: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        cwd=environment.CODE,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def spans(bodies: list[bytes]) -> list[tuple[str, str]]:
    """(name, everything that it holds) of each span."""
    return [
        (span.name, str(span))
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_requests_tasks_and_statements_are_traced_without_paths_or_values(collector) -> None:
    address, received = collector

    run(ASK, OPENTELEMETRY="true", OTEL_EXPORTER_OTLP_ENDPOINT=address)

    found = spans(received)
    names = [name for name, _ in found]
    assert "GET /deletion/<slug:code>/" in names
    assert "some.task" in names
    assert "SELECT" in names
    assert not [held for _, held in found if "secret-code" in held or "t0k3n" in held]


def test_without_the_switch_nothing_of_it_is_loaded() -> None:
    assert run(QUIET).strip() == "False"
