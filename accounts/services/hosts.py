"""Which storages this host reaches, so that hosts that do not share them are found.

Each process tells with its signs of life (`accounts.services.processes`) what was seen last.
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

#: Between two looks, in seconds.
LOOK_SECONDS: Final = 30.0

_looking_in = 0
_marks: dict[str, str] = {}
log = logging.getLogger(__name__)


def name() -> str:
    """By which this host is known to the others."""
    return str(settings.HOST_NAME or socket.gethostname())


def marks() -> dict[str, str]:
    """The marks of the storages as this process saw them last."""
    return dict(_marks)


def look() -> dict[str, str]:
    """`files`, `erasures` -> the mark that stands there; a storage that is away has none."""
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


def keep_looking() -> None:
    """Look from now on, beside this process's own work.

    In a thread: a storage that does not answer holds up nobody. A fork has none until it asks too.
    """
    global _looking_in
    if _looking_in != os.getpid():
        _looking_in = os.getpid()
        threading.Thread(target=_look_on, name="storages", daemon=True).start()


def _look_on() -> None:
    while True:
        try:
            look()
        except Exception:
            log.exception("this host could not see which storages it reaches")
        finally:
            connection.close()
        time.sleep(LOOK_SECONDS)


def living() -> list[str]:
    """The names of hosts whose web or queue was heard of lately."""
    return sorted(set(live_processes().values_list("host", flat=True)))


def not_shared(own: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """`files`, `erasures` -> the living hosts, where they do not reach the same storage.

    `own`: the marks of this process, where it has not told them yet.
    """
    seen = list(live_processes().values_list("host", "marks"))
    if own:
        seen.append((name(), dict(own)))
    found = {}
    for what in ("files", "erasures"):
        if len({told[what] for _host, told in seen if told.get(what)}) > 1:
            found[what] = sorted({host for host, _told in seen})
    return found
