"""Session store and middleware: signed session cookies, encrypted session data.

The cookie is the signed session key, and the database holds only the key: a backup does not let its
reader continue a session. The data, in which allauth keeps states and verifiers, is encrypted.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.core import signing
from django.http import HttpRequest, HttpResponse

from accounts import crypto
from accounts.errors import Bug

_SALT: Final = "accounts.sessions"


def signed(session_key: str) -> str:
    """The cookie's value."""
    return _signer().sign(session_key)


def unsigned(cookie: str | None) -> str | None:
    """The session key; None for a cookie that this site did not sign."""
    try:
        return _signer().unsign(cookie or "")
    except signing.BadSignature:
        return None


def _signer() -> signing.Signer:
    """Takes what was signed under SECRET_KEY_FALLBACKS as well."""
    return signing.Signer(sep=".", salt=_SALT)


class SessionStore(db.SessionStore):
    """Django's database sessions with encrypted data; for the setting SESSION_ENGINE."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        return crypto.encrypt(super().encode(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            return super().decode(crypto.decrypt(str(session_data)))
        except Bug:
            return {}  # the key is gone: as if the session had ended


class SessionMiddleware(DjangoSessionMiddleware):
    """Signs the session key in the cookie, and accepts it only with its signature."""

    def process_request(self, request: HttpRequest) -> None:
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        request.session = self.SessionStore(unsigned(cookie))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        name = settings.SESSION_COOKIE_NAME
        if name in response.cookies and response.cookies[name].value:
            response.cookies[name] = signed(response.cookies[name].value)
        return response
