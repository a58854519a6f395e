"""Location of the list files in an archive, by their names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from followersync.sources.archive.errors import ArchiveError, Problem

_FOLDER = "followers_and_following"
# What file managers, browsers and cloud storages add to the name of a copy, before and after it.
_COPY = "(?:copy|kopie|copie|copia|cópia|kopia|копия)"
_BEFORE = rf"(?:{_COPY}(?:\s*\(?\d{{1,3}}\)?)?(?:\s+(?:of|von|de|di|da|van|av))?[\s_-]+)?"
_BEHIND = rf"(?:[ .(].*|[-_]+\s*{_COPY}.*|-\d{{1,3}})?"
_ENDING = r"\.(json|html?)(?:\.(?:json|html?|txt))?"
_PART = re.compile(rf"{_BEFORE}followers(?:_(\d{{1,6}}))?{_BEHIND}{_ENDING}", re.I)
_FOLLOWING = re.compile(rf"{_BEFORE}following(?:_\d{{1,6}})?{_BEHIND}{_ENDING}", re.I)
_PLAIN = re.compile(r"followers(?:_\d{1,6})?\.(?:json|html)")
_ANY_ENDING = re.compile(rf".*{_ENDING}", re.I | re.S)

SameContent = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Lists:
    """The files to read. `parts` by number, ascending; `form` json, html, connections or unnamed (a
    single JSON file with a name chosen by the member)."""

    form: str
    parts: dict[int, str]
    following: tuple[str, ...]
    root: str


def list_ending(name: str) -> str | None:
    """`json` or `html` where the name is that of a list file."""
    match = _ANY_ENDING.fullmatch(name)
    return match[1].lower()[:4] if match else None


def is_junk(name: str) -> bool:
    """Whether this is a file that macOS and others add to zips."""
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith("._")


def find_lists(names: list[str], *, single: bool, same_content: SameContent) -> Lists:
    """The follower list among these file names; ArchiveError where there is none or several.

    `same_content`: whether two of the files have the same content.
    """
    usable = [name for name in names if not is_junk(name)]
    matching = [name for name in usable if _PART.fullmatch(PurePosixPath(name).name)]
    candidates = [name for name in matching if "threads" not in PurePosixPath(name).parts[:-1]]
    if candidates:
        proper = [name for name in candidates if _FOLDER in PurePosixPath(name).parts[:-1]]
        return _choose(proper or candidates, usable, same_content)
    connections = [n for n in usable if PurePosixPath(n).name == "connections.json"]
    if len(connections) == 1:
        root = PurePosixPath(connections[0]).parent.as_posix()
        return Lists("connections", {1: connections[0]}, (connections[0],), root)
    if connections:
        raise ArchiveError(Problem.SEVERAL_EXPORTS)
    if single and usable and list_ending(usable[0]) == "json":
        # With any name, its root key may state what it is.
        return Lists("unnamed", {1: usable[0]}, (), ".")
    raise _no_list_error(usable, single=single, threads=bool(matching))


def _no_list_error(names: list[str], *, single: bool, threads: bool) -> ArchiveError:
    """Why there is no list to read, and what the member may do."""
    if single and names and _FOLLOWING.fullmatch(names[0]):
        return ArchiveError(Problem.ANOTHER_LIST, member=names[0])
    if single and names:
        return ArchiveError(Problem.NAME_UNKNOWN, member=names[0])
    if threads:
        return ArchiveError(Problem.ONLY_THREADS)
    for name in names:
        last = PurePosixPath(name).name.lower()
        if last.endswith(".zip"):
            return ArchiveError(Problem.PACKED_INSIDE, member=name)
        if "followers" in last and "unfollow" not in last and list_ending(last):
            return ArchiveError(Problem.NAME_UNKNOWN, member=name)
    return ArchiveError(Problem.NO_FOLLOWER_LIST)


def _choose(candidates: list[str], names: list[str], same_content: SameContent) -> Lists:
    """JSON before HTML of the same export; two exports, or a repeated part, are refused."""
    folders = {PurePosixPath(name).parent for name in candidates}
    if len(folders) > 1:
        raise ArchiveError(Problem.SEVERAL_EXPORTS)
    folder = folders.pop()
    parts: dict[str, dict[int, str]] = {"json": {}, "html": {}}
    # Instagram's own name first: a copy beside it is ignored.
    for name in sorted(candidates, key=lambda name: not _PLAIN.fullmatch(PurePosixPath(name).name)):
        match = _PART.fullmatch(PurePosixPath(name).name)
        if match is None:
            continue
        number, form = int(match[1] or 1), match[2].lower()[:4]
        first = parts[form].setdefault(number, name)
        if first != name and not same_content(first, name):
            raise ArchiveError(Problem.PART_TWICE, member=name, other=first)
    form = "json" if parts["json"] else "html"
    following = tuple(
        name
        for name in sorted(names)
        if PurePosixPath(name).parent == folder
        and (match := _FOLLOWING.fullmatch(PurePosixPath(name).name))
        and match[1].lower()[:4] == form
    )
    return Lists(form, dict(sorted(parts[form].items())), following, folder.as_posix())
