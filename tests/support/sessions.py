"""Django's test client puts a session's key into its cookie as it stands; here it is signed.

The client is the browser's stand-in, and a browser only ever has what the site gave it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.test.client import ClientMixin

from accounts.sessions import SessionStore, signed, unsigned


def _session(self: Any) -> SessionStore:
    cookie = self.cookies.get(settings.SESSION_COOKIE_NAME)
    if cookie:
        return SessionStore(unsigned(cookie.value))
    session = SessionStore()
    session.save()
    self.cookies[settings.SESSION_COOKIE_NAME] = signed(str(session.session_key))
    return session


_set_login_cookies = ClientMixin._set_login_cookies


def _signed_login_cookies(self: Any, request: HttpRequest) -> None:
    _set_login_cookies(self, request)
    name = settings.SESSION_COOKIE_NAME
    self.cookies[name] = signed(self.cookies[name].value)


ClientMixin.session = property(_session)
ClientMixin._set_login_cookies = _signed_login_cookies
