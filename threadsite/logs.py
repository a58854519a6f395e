"""Log format: one JSON event per line, with context and traceback, without secrets.

No token, code or follower's name may be in it. Our own messages contain none; those of libraries
and the database pass through `without_secrets` and `_traceback`.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from accounts import log_context

#: Instagram's tokens and codes, and secrets in OAuth messages and URLs.
_SECRETS: Final = re.compile(
    r"""\bIG[A-Z]{2}[\w-]{16,} | \bAQ[\w-]{40,}
      | (?P<named>\b(?:access_token|refresh_token|client_secret|code|code_verifier|device_code
          |fb_exchange_token|input_token|signed_request|password|state)["']?\s*[=:]\s*["']?)
        [^\s"'&,;)}]+
      | (?P<bearer>\bBearer\s+)[\w.~+/=-]+""",
    re.VERBOSE | re.IGNORECASE,
)
#: PostgreSQL's message quotes the refused row, which may name people.
#: https://www.postgresql.org/docs/current/protocol-error-fields.html
_ROWS: Final = re.compile(r"^\s*(?:DETAIL|CONTEXT|HINT|LINE \d+):.*$(?:\n\s*\^\s*$)?", re.MULTILINE)
HIDDEN: Final = "…"
logger = logging.getLogger(__name__)


class EventFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(event_of(record), ensure_ascii=False, default=str)


class LineFormatter(logging.Formatter):
    """A record for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        event = event_of(record)
        known = " ".join(f"{name}={value}" for name, value in log_context.fields().items())
        said = f"{event['time']} {event['level']} {event['logger']}: {event['message']}"
        return "\n".join(filter(None, (f"{said} {known}".strip(), event.get("traceback"))))


def event_of(record: logging.LogRecord) -> dict[str, Any]:
    """`time` (ISO 8601, UTC), `level`, `logger`, `message`; context; `error`, `traceback`."""
    event: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": without_secrets(_message(record)),
        **log_context.fields(),
        **getattr(record, "event", {}),
    }
    if record.exc_info and record.exc_info[0] is not None:
        event["error"] = record.exc_info[0].__name__
        event["traceback"] = _traceback(record.exc_info)
    return event


def without_secrets(text: str) -> str:
    """Replace what looks like a secret by dots."""
    return _SECRETS.sub(_hide, text)


def route_of(request: Any) -> str:
    """The URL pattern and not the path, which may contain a key or a code."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match is not None and match.route else "an unknown address"


def connect() -> None:
    """Called once, when Django is ready."""
    # gunicorn's master uses this module without Django.
    from django_q.signals import post_execute_in_worker, pre_execute

    pre_execute.connect(_before_task, dispatch_uid="threadsite.logs")
    post_execute_in_worker.connect(_after_task, dispatch_uid="threadsite.logs")
    threading.excepthook = log_thread_error


def _before_task(task: dict[str, Any], **_more: Any) -> None:
    log_context.begin(task=str(task.get("id", "")), name=str(task.get("func", "")))


def _after_task(**_more: Any) -> None:
    log_context.begin()


def log_thread_error(ended: threading.ExceptHookArgs) -> None:
    """Log an error that ended a thread: for `threading.excepthook`."""
    if ended.exc_value is None or issubclass(ended.exc_type, SystemExit):
        return
    name = ended.thread.name if ended.thread else "?"
    logger.error(
        "thread %s ended", name, exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback)
    )


def _message(record: logging.LogRecord) -> str:
    """Django's own messages about requests end in the path."""
    said = record.getMessage()
    path = getattr(getattr(record, "request", None), "path", None)
    return said.replace(path, route_of(record.__dict__["request"])) if path else said


def _traceback(
    info: tuple[type[BaseException] | None, BaseException | None, TracebackType | None],
) -> str:
    text = "".join(traceback.format_exception(*info)).rstrip()
    return without_secrets(_ROWS.sub("", text))


def _hide(found: re.Match[str]) -> str:
    return f"{found['named'] or found['bearer'] or ''}{HIDDEN}"
