"""Selects the database: the one of DATABASE_URL, or an embedded PostgreSQL in a local folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from threadsite import environment
from threadsite.embedded import EmbeddedServer, ServerError

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

#: Detect a vanished server after seconds, not after a quarter of an hour.
#: https://www.postgresql.org/docs/current/libpq-connect.html; DATABASE_URL can say otherwise.
PATIENCE: Final = MappingProxyType(
    {
        "connect_timeout": "3",
        "keepalives_idle": "15",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": "20000",
    }
)
#: PostgreSQL must detect a vanished host as soon: until then the host's row locks stay, for two
#: hours by Linux's own keepalive. The server's setting -> ours.
#: https://www.postgresql.org/docs/current/runtime-config-connection.html
_SERVER_SETTINGS: Final = MappingProxyType(
    {
        "tcp_keepalives_idle": "keepalives_idle",
        "tcp_keepalives_interval": "keepalives_interval",
        "tcp_keepalives_count": "keepalives_count",
        "tcp_user_timeout": "tcp_user_timeout",
    }
)


def connect() -> None:
    """Set PostgreSQL's own patience in each new connection."""
    from django.db.backends.signals import connection_created

    connection_created.connect(_set_patience, dispatch_uid="threadsite.database")


def _set_patience(connection: BaseDatabaseWrapper, **_more: Any) -> None:
    # Not as a connection parameter: PgBouncer would refuse it.
    options = PATIENCE | connection.settings_dict["OPTIONS"]
    calls = ", ".join(["set_config(%s, %s, false)"] * len(_SERVER_SETTINGS))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {calls}",
            [word for name, own in _SERVER_SETTINGS.items() for word in (name, str(options[own]))],
        )


@contextmanager
def available(*, needed: bool) -> Iterator[None]:
    """Provide a database in DATABASE_URL for as long as the block runs. Raises ServerError."""
    if not needed or os.environ.get("DATABASE_URL"):
        yield
        return
    server = EmbeddedServer(environment.home() / "postgres")
    try:
        os.environ["DATABASE_URL"] = server.start()
    except OSError as error:
        raise ServerError(f"{server.folder} cannot be used: {error.strerror}.") from None
    try:
        yield
    finally:
        server.stop()


def configuration(address: str) -> dict[str, Any]:
    """Django's DATABASES entry for a postgresql:// address; raises ImproperlyConfigured."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL: {error}.") from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            "DATABASE_URL must begin with postgresql://; Threadsite needs PostgreSQL 15 or newer."
        )
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL: the port is not a number.") from None
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: postgresql://…/NAME.")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    for option, value in PATIENCE.items():
        options.setdefault(option, value)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        # No psycopg pool: a forked queue worker would share its connections (they hang).
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
