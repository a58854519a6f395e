"""WSGI entry point."""

from __future__ import annotations

import os

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "threadsite.settings")
_django = get_wsgi_application()

# Run the system checks, as commands do.
_errors = [str(message) for message in checks.run_checks() if message.is_serious()]
if _errors:
    raise ImproperlyConfigured("\n".join(_errors))

from threadsite import serving  # noqa: E402  needs the apps that were set up above

serving.check_start()
application = serving.Guarded(_django)
