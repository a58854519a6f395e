"""gunicorn's settings: `gunicorn -c python:threadsite.server threadsite.wsgi`.

What stands in the command wins, so that an operator can change each.
"""

from __future__ import annotations

from threadsite.worker import PatientWorker

workers = 2
threads = 8
worker_class = PatientWorker
# Connections that a worker keeps, threads busy or not.
worker_connections = 500
keepalive = 5
graceful_timeout = 30
# A worker that gives no sign of life at all; a request has limits of its own (threadsite.worker).
timeout = 60
# By these headers whoever comes through a proxy on this machine could say where the site lies, and
# so where the links in our mails lead.
forwarder_headers = ""
limit_request_line = 8190
limit_request_fields = 60
limit_request_field_size = 8190
# Paths without their queries, which hold OAuth codes.
accesslog = "-"
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(D)sus"
control_socket_disable = True
