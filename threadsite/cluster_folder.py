"""A cluster's folder on its host: its supervisor, and which of its workers run a task."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
from django_q.signals import post_execute_in_worker, pre_execute

from accounts.queue import cluster_id
from threadsite import environment

_SUPERVISOR: Final = "supervisor"


def _root() -> Path:
    return environment.home() / "queue" / "clusters"


def make(cluster: str) -> None:
    """Create the folder in the name of this process.

    On a full disk there is none: then every worker appears to be idle.
    """
    folder, me = _root() / cluster, psutil.Process()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _SUPERVISOR).write_text(f"{me.pid} {me.create_time()}", encoding="utf-8")


def remove(cluster: str) -> None:
    """Delete the folder of an ended cluster."""
    shutil.rmtree(_root() / cluster, ignore_errors=True)


def orphans() -> Iterator[str]:
    """The clusters of this host whose supervisor was killed."""
    with suppress(FileNotFoundError):
        for folder in sorted(_root().iterdir()):
            if not _is_alive(folder / _SUPERVISOR):
                yield folder.name


def _is_alive(path: Path) -> bool:
    try:
        pid, born = path.read_text(encoding="utf-8").split()
        return bool(abs(psutil.Process(int(pid)).create_time() - float(born)) < 1)
    except (OSError, ValueError, psutil.Error):
        return False


def busy(cluster: str, pids: set[int]) -> int:
    """How many of these processes run a task; deletes the marks of dead ones."""
    found = 0
    with suppress(OSError):
        for mark in (_root() / cluster).iterdir():
            if not mark.name.isdigit():
                continue
            if int(mark.name) in pids:
                found += 1
            else:
                mark.unlink(missing_ok=True)
    return found


def connect() -> None:
    """Called once, when Django is ready: workers mark when they begin and end a task."""
    pre_execute.connect(_begin, dispatch_uid="threadsite.cluster_folder")
    post_execute_in_worker.connect(_end, dispatch_uid="threadsite.cluster_folder")


def _mark() -> Path | None:
    cluster = cluster_id()
    return None if cluster is None else _root() / cluster / str(os.getpid())


def _begin(**_more: Any) -> None:
    mark = _mark()
    if mark is not None:
        with suppress(OSError):
            mark.touch()


def _end(**_more: Any) -> None:
    mark = _mark()
    if mark is not None:
        with suppress(OSError):
            mark.unlink(missing_ok=True)
