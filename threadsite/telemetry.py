"""OpenTelemetry traces, if OPENTELEMETRY is set: requests, queue tasks, SQL statements.

A span contains a route, a task's name or a statement with its placeholders, never a path, a query
string or a value, since it is not filtered for secrets as the log is. OpenTelemetry's own variables
set the destination (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME …).
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django_q.signals import post_execute_in_worker, pre_execute

from accounts import log_context
from threadsite.logs import route_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

LONGEST_STATEMENT: Final = 2_000
#: The current task of this worker, which runs one at a time.
_task = ExitStack()


def install() -> None:
    """Called once, when Django is ready. Raises ImproperlyConfigured without the libraries."""
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ImproperlyConfigured(
            "OPENTELEMETRY is set, but its libraries are not installed: "
            "`pip install -r requirements-telemetry.txt`, or unset it."
        ) from None
    os.environ.setdefault("OTEL_SERVICE_NAME", "threadsite")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    connection_created.connect(_on_connection, dispatch_uid="threadsite.telemetry")
    pre_execute.connect(_before_task, dispatch_uid="threadsite.telemetry")
    post_execute_in_worker.connect(_after_task, dispatch_uid="threadsite.telemetry")


def tracer() -> Tracer:
    """Without `install`, a tracer whose spans are discarded."""
    from opentelemetry import trace

    return trace.get_tracer("threadsite")


class TraceMiddleware:
    """One span per request; in MIDDLEWARE only if OPENTELEMETRY is set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with (
            tracer().start_as_current_span(str(request.method)) as span,
            log_context.about(trace=_id_of(span)),
        ):
            response = self.get_response(request)
            route = route_of(request)
            span.update_name(f"{request.method} {route}")
            span.set_attribute("http.request.method", str(request.method))
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", response.status_code)
            return response


def _id_of(span: Span) -> str:
    return f"{span.get_span_context().trace_id:032x}"


def _before_task(task: dict[str, Any], **_more: Any) -> None:
    name = str(task.get("func", "task"))
    span = _task.enter_context(tracer().start_as_current_span(name))
    span.set_attribute("messaging.message.id", str(task.get("id", "")))
    _task.enter_context(log_context.about(trace=_id_of(span)))


def _after_task(**_more: Any) -> None:
    _task.close()


def _on_connection(connection: Any, **_more: Any) -> None:
    """Sent again whenever the same object reconnects."""
    if _traced not in connection.execute_wrappers:
        connection.execute_wrappers.append(_traced)


def _traced(
    execute: Callable[..., Any], statement: str, values: Any, many: bool, context: Any
) -> Any:
    with tracer().start_as_current_span(str(statement).split(None, 1)[0].upper()) as span:
        span.set_attribute("db.system.name", "postgresql")
        span.set_attribute("db.query.text", str(statement)[:LONGEST_STATEMENT])
        return execute(statement, values, many, context)
