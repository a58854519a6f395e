"""Hosts: each says now and then that it lives and which storages it reaches, so that two that do
not share them are found.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection

from accounts import clock, files
from accounts.files.storage import StorageFailed
from accounts.models import Host
from accounts.services.erasure import listing

#: Between two signs of life, in seconds.
BEAT_SECONDS: Final = 30.0
#: Without one for so long, a host counts as gone.
GONE: Final = timedelta(minutes=5)
FORGOTTEN: Final = timedelta(days=7)

_beating_in = 0
log = logging.getLogger(__name__)


def name() -> str:
    """By which this host is known to the others."""
    return str(settings.HOST_NAME or socket.gethostname())


def keep_beating() -> None:
    """Say from now on that this host lives, beside this process's own work.

    In a thread: a storage that does not answer holds up nobody. A fork has none until it asks too.
    """
    global _beating_in
    if _beating_in != os.getpid():
        _beating_in = os.getpid()
        threading.Thread(target=_beat_on, name="host-heartbeat", daemon=True).start()


def _beat_on() -> None:
    while True:
        time.sleep(BEAT_SECONDS)
        try:
            beat()
        except Exception:
            log.exception("this host could not say that it lives")
        finally:
            connection.close()


def beat() -> None:
    """Note that this host lives, and what it reaches; harmless while the database is away."""
    try:
        Host.objects.update_or_create(
            name=name(), defaults={"seen_at": clock.wall(), "facts": _facts()}
        )
        Host.objects.filter(seen_at__lt=clock.wall() - FORGOTTEN).delete()
    except DatabaseError:
        log.warning("this host could not say that it lives: the database does not answer")


def alive() -> list[Host]:
    """Hosts that gave a sign of life lately, by name."""
    return list(Host.objects.filter(seen_at__gte=clock.wall() - GONE).order_by("name"))


def not_shared() -> dict[str, list[str]]:
    """`files`, `erasures` -> the living hosts, where they do not reach the same storage."""
    living = alive()
    found = {}
    for what in ("files", "erasures"):
        marks = {host.facts[what] for host in living if host.facts.get(what)}
        if len(marks) > 1:
            found[what] = [host.name for host in living]
    return found


def _facts() -> dict[str, str]:
    """The marks of the storages; one that does not answer has none."""
    found: dict[str, str] = {}
    try:
        found["files"] = files.mark()
    except StorageFailed as error:
        log.warning("the storage of files does not answer: %s", error)
    try:
        found["erasures"] = listing.mark_of(listing.storage()) or ""
    except StorageFailed as error:
        log.warning("the list of erasures does not answer: %s", error)
    return found
