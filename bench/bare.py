"""A bare view of a new Django project, the baseline for our pages.

`gunicorn -c python:threadsite.server bench.bare` serves it; `python -m bench.bare` creates the
project's tables and prints the session key of a member.
"""

from __future__ import annotations

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.bare_settings"

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def member(request: HttpRequest) -> HttpResponse:
    """Returns who is signed in: reads session and member, as every page of ours does."""
    return HttpResponse(request.user.get_username())


urlpatterns = [path("member/", member)]
application = get_wsgi_application()


def main() -> None:
    """In a process of its own, since its Django has other settings."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS bare")
    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    print(session.session_key)


if __name__ == "__main__":
    main()
