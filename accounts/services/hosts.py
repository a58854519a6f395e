"""Detects hosts that do not share storages, by marks stored in them.

Each process reports the marks it last read (`accounts.services.processes`).
"""

from __future__ import annotations

import logging
import os
import socket  # audit: unbudgeted-connection: for the host's name
import threading
import time
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import connection

from accounts import files
from accounts.files.storage import StorageFailed
from accounts.selectors.processes import live_processes
from accounts.services.erasure import erasure_list

#: Between two readings, in seconds.
LOOK_SECONDS: Final = 30.0

_looking_in = 0
_marks: dict[str, str] = {}
log = logging.getLogger(__name__)


def name() -> str:
    """This host's name, for the others."""
    return str(settings.HOST_NAME or socket.gethostname())


def marks() -> dict[str, str]:
    """The marks of the storages as this process last read them."""
    return dict(_marks)


def look() -> dict[str, str]:
    """`files`, `erasures` -> the stored mark; unreachable storages are left out."""
    global _marks
    found: dict[str, str] = {}
    try:
        found["files"] = files.mark()
    except StorageFailed as error:
        log.warning("the storage of files does not answer: %s", error)
    try:
        found["erasures"] = erasure_list.mark_of(erasure_list.storage()) or ""
    except StorageFailed as error:
        log.warning("the list of erasures does not answer: %s", error)
    _marks = found
    return found


def start_reading_marks() -> None:
    """Start reading the marks periodically.

    In a thread: a storage that does not answer delays nobody. A fork has none until it calls this
    too.
    """
    global _looking_in
    if _looking_in != os.getpid():
        _looking_in = os.getpid()
        threading.Thread(target=_read_marks, name="storages", daemon=True).start()


def _read_marks() -> None:
    while True:
        try:
            look()
        except Exception:
            log.exception("this host could not see which storages it reaches")
        finally:
            connection.close()
        time.sleep(LOOK_SECONDS)


def living() -> list[str]:
    """The names of hosts whose web or queue reported recently."""
    return sorted(set(live_processes().values_list("host", flat=True)))


def not_shared(own: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """`files`, `erasures` -> the running hosts, if they do not reach the same storage.

    `own`: the marks of this process, if it has not reported them yet.
    """
    seen = list(live_processes().values_list("host", "marks"))
    if own:
        seen.append((name(), dict(own)))
    found = {}
    for what in ("files", "erasures"):
        if len({reported[what] for _host, reported in seen if reported.get(what)}) > 1:
            found[what] = sorted({host for host, _reported in seen})
    return found
