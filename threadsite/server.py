"""gunicorn's settings: `gunicorn -c python:threadsite.server threadsite.wsgi`.

Command-line options take precedence.
"""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from threadsite.logs import EventFormatter
from threadsite.worker import PatientWorker


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's messages as events; requests are logged by `threadsite.request_log`."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(EventFormatter())

    def access(self, *_args: object) -> None:
        """Not logged: paths contain codes and keys, which `threadsite.request_log` omits."""


workers = 2
threads = 8
worker_class = PatientWorker
logger_class = ServerLog
# Connections that a worker keeps, threads busy or not.
worker_connections = 500
keepalive = 5
graceful_timeout = 30
# For a hanging worker; a request has limits of its own (threadsite.worker).
timeout = 60
# By these headers a client behind a proxy on this machine could set the site's address, and
# so the links in our mails.
forwarder_headers = ""
limit_request_line = 8190
limit_request_fields = 60
limit_request_field_size = 8190
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Called in each worker once its application is loaded, which may not be the site."""
    from django.apps import apps

    if not apps.ready or not apps.is_installed("accounts"):
        return
    from threadsite.process_presence import Presence

    worker.presence = Presence()
    worker.presence.begin()


def worker_exit(server: Any, worker: Any) -> None:
    """Called in each worker that ends as asked."""
    presence = getattr(worker, "presence", None)
    if presence is not None:
        presence.end()
