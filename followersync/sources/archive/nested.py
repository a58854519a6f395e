"""Nested zips: the inner zip is read if there is only one."""

from __future__ import annotations

import tempfile
from pathlib import PurePosixPath

from followersync.sources.archive.container import Container, ZipContainer
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.limits import Limits
from followersync.sources.archive.locate import is_junk, list_ending


def unwrapped(container: Container, limits: Limits) -> Container:
    """The only zip inside, if no list is beside it; else the container itself.

    One level only; deeper nesting is reported to the member. The inner zip is copied to a file
    without a name, under the same limits as any list. Raises ArchiveError where there are several
    zips: only the member knows which is meant.
    """
    names = [name for name in container.names if not is_junk(name)]
    inner = [name for name in names if name.lower().endswith(".zip")]
    if not inner or any(list_ending(name) for name in names):
        return container
    if len(inner) > 1:
        raise ArchiveError(Problem.PACKED_INSIDE, member=inner[0])
    copy = tempfile.TemporaryFile()  # noqa: SIM115  closed with the container that reads it
    for piece in container.stream(inner[0]):
        copy.write(piece)
    return ZipContainer(copy, PurePosixPath(inner[0]).name, limits)
