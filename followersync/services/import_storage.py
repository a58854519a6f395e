"""The folder in which uploaded archives wait to be read."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import IO, Final

from django.conf import settings as site

from followersync.services import owners
from followersync.sources.archive import Problem

LARGEST: Final = 4 << 30


def folder() -> Path:
    """Where they wait; each is removed once its run has ended and no question about it is open."""
    place: Path = Path(site.THREADSITE_HOME) / "imports"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def keep(file: IO[bytes], name: str) -> tuple[str, int]:
    """Copy the archive to where the queue finds it: (its name there, bytes). Raises InvalidInput.

    Its suffix tells a single list's form.
    """
    suffix = Path(name).suffix.lower()
    stored = f"{uuid.uuid4().hex}{suffix if suffix in ('.json', '.html') else '.zip'}"
    file.seek(0)
    path = folder() / stored
    try:
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
            size = copy.tell()
    except OSError:
        discard(stored)  # half a file would keep a full disk full
        raise
    if size > LARGEST:
        discard(stored)
        raise owners.refused(Problem.TOO_LARGE)
    return stored, size


def discard(stored: str) -> None:
    """Delete one archive; "" is none."""
    if stored:
        (folder() / stored).unlink(missing_ok=True)


def discard_unknown(known: set[str], older_than: float) -> int:
    """Delete archives that nothing waits for, unless younger than this time (Unix seconds)."""
    left = [path for path in folder().iterdir() if path.name not in known]
    old = [path for path in left if path.stat().st_mtime < older_than]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
