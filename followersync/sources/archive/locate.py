"""Which files of an archive hold the lists, and what its names say of owner and day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath

from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.text import as_handle

_FOLDER = "followers_and_following"
_PART = re.compile(r"followers(?:_(\d{1,6}))?(?:[ .(].*)?\.(json|html)")
_FOLLOWING = re.compile(r"following(?:_\d{1,6})?(?:[ .(].*)?\.(json|html)")
_EXPORT = re.compile(r"instagram-([a-z0-9._]{1,30})-(\d{4}-\d{2}-\d{2})(?:-|\.|$)", re.I)
_OLD_EXPORT = re.compile(r"([a-z0-9._]{1,30})_(\d{8})(?:_part_\d+)?(?:\.zip)?", re.I)
_DRIVE = re.compile(r"meta-(\d{4}-[A-Z][a-z]{2}-\d{1,2})-\d{2}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Lists:
    """The files to read. `parts` by number, ascending; `form` json, html, connections or
    unnamed (a single JSON file under a name of the member's)."""

    form: str
    parts: dict[int, str]
    following: tuple[str, ...]
    root: str


def find_lists(names: list[str], *, single: bool) -> Lists:
    """The follower list among these file names; ArchiveError where there is none or several."""
    usable = [name for name in names if not _is_junk(name)]
    matching = [name for name in usable if _PART.fullmatch(PurePosixPath(name).name)]
    candidates = [name for name in matching if "threads" not in PurePosixPath(name).parts[:-1]]
    if candidates:
        proper = [name for name in candidates if _FOLDER in PurePosixPath(name).parts[:-1]]
        return _choose(proper or candidates, usable)
    connections = [n for n in usable if PurePosixPath(n).name == "connections.json"]
    if len(connections) == 1:
        root = PurePosixPath(connections[0]).parent.as_posix()
        return Lists("connections", {1: connections[0]}, (connections[0],), root)
    if connections:
        raise ArchiveError(Problem.SEVERAL_EXPORTS)
    if single and usable and usable[0].lower().endswith(".json"):
        # Whatever it is called, its root key may say what it is.
        return Lists("unnamed", {1: usable[0]}, (), ".")
    if single and usable and _FOLLOWING.fullmatch(usable[0]):
        raise ArchiveError(Problem.ANOTHER_LIST, member=usable[0])
    raise ArchiveError(Problem.ONLY_THREADS if matching else Problem.NO_FOLLOWER_LIST)


def owner_and_day(container: str, member: str) -> tuple[str | None, date | None]:
    """Owner and export day from the archive's own name, else from the folders around the list."""
    owner: str | None = None
    day: date | None = None
    for piece in (container, *reversed(PurePosixPath(member).parts[:-1])):
        match = _EXPORT.match(piece) or _OLD_EXPORT.fullmatch(piece)
        if match and owner is None and (stated := _day(match[2])):
            owner, day = as_handle(match[1]), stated
        drive = _DRIVE.match(piece)
        if drive and day is None:
            day = _day(drive[1])
    return owner, day


def _choose(candidates: list[str], names: list[str]) -> Lists:
    """JSON before HTML of the same export; two exports, or a part twice, are refused."""
    folders = {PurePosixPath(name).parent for name in candidates}
    if len(folders) > 1:
        raise ArchiveError(Problem.SEVERAL_EXPORTS)
    folder = folders.pop()
    parts: dict[str, dict[int, str]] = {"json": {}, "html": {}}
    for name in candidates:
        match = _PART.fullmatch(PurePosixPath(name).name)
        if match is None:
            continue
        number = int(match[1] or 1)
        if number in parts[match[2]]:
            raise ArchiveError(Problem.SEVERAL_EXPORTS)
        parts[match[2]][number] = name
    form = "json" if parts["json"] else "html"
    following = tuple(
        name
        for name in sorted(names)
        if PurePosixPath(name).parent == folder
        and (match := _FOLLOWING.fullmatch(PurePosixPath(name).name))
        and match[1] == form
    )
    return Lists(form, dict(sorted(parts[form].items())), following, folder.as_posix())


def _is_junk(name: str) -> bool:
    """What macOS and others leave in zips."""
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith("._")


def _day(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%Y%m%d", "%Y-%b-%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None
