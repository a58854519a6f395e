"""Measures requests and tasks into `accounts.counters`, and flushes the counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse
from django_q.signals import post_execute_in_worker, pre_execute

from accounts import counters

#: Path prefixes by area; all others are pages.
AREAS: Final = {
    "api": "api",
    "admin": "admin",
    "auth": "sign_in",
    "identity": "programs",
    "instagram": "callbacks",
    "transfer": "transfer",
}
#: Polled by machines every few seconds, which would dominate the figures.
NOT_MEASURED: Final = ("/healthz", "/readyz", "/metrics", "/may-upload", "/static/")


class MeasuringMiddleware:
    """Time until an answer begins, by area of the site and class of status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        response = self.get_response(request)
        if not request.path_info.startswith(NOT_MEASURED):
            counters.observe(
                "http_request_seconds",
                time.monotonic() - started,
                area=AREAS.get(request.path_info.split("/", 2)[1], "pages"),
                status=f"{response.status_code // 100}xx",
            )
        return response


def connect() -> None:
    """Called once, when Django is ready."""
    request_finished.connect(_after_request, dispatch_uid="threadsite.measurements")
    pre_execute.connect(_before_task, dispatch_uid="threadsite.measurements")
    post_execute_in_worker.connect(_after_task, dispatch_uid="threadsite.measurements")


def _after_request(**_more: Any) -> None:
    counters.flush_when_due()


def _before_task(task: dict[str, Any], **_more: Any) -> None:
    task["measured_from"] = time.monotonic()


def _after_task(func: Any, task: dict[str, Any], **_more: Any) -> None:
    started = task.pop("measured_from", None)
    if started is not None:
        counters.observe(
            "task_seconds",
            time.monotonic() - started,
            task=getattr(func, "__name__", counters.OTHER),
            outcome="ok" if task.get("success") else "failed",
        )
    counters.flush_when_due()
