"""Archive reader: any form and dialect, as column batches and facts."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from followersync.sources.archive import connections_json, html_rows, owner
from followersync.sources.archive.batches import ColumnBatch, Rows, plausible
from followersync.sources.archive.container import (
    Container,
    FileContainer,
    FolderContainer,
    ZipContainer,
)
from followersync.sources.archive.directory import find_directory
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.facts import Archive, Range
from followersync.sources.archive.json_rows import OTHER_LISTS, THREADS, JsonList
from followersync.sources.archive.limits import DEFAULT, Limits
from followersync.sources.archive.locate import Lists, find_lists, list_ending
from followersync.sources.archive.nested import unwrapped

FOLLOWERS = "relationships_followers"
FOLLOWING = "relationships_following"
# Clocks differ and export days are in the member's zone: times up to this far ahead are accepted.
_AHEAD = 2 * 86_400


def open_archive(
    source: Path | IO[bytes],
    *,
    name: str | None = None,
    limits: Limits = DEFAULT,
    now: int | None = None,
) -> Archive:
    """Open a zip, an unpacked folder or a single list. Reads names and headers only.

    `source` is a path or a seekable binary file, `name` its name as given by the member (often with
    owner and day) and `now` the present in Unix seconds. Raises ArchiveError where it contains no
    readable follower list.
    """
    container = unwrapped(_container(source, name, limits), limits)
    lists = find_lists(
        container.names, single=container.single, same_content=container.same_content
    )
    first = next(iter(lists.parts.values()))
    dialect, lists = _dialect(container, lists)
    stated = owner.in_names(container.name, first)
    if dialect == "html":
        stated = stated.or_else(*html_rows.header(container.stream(first)))
    present = tuple(lists.parts)
    latest = (int(time.time()) if now is None else now) + _AHEAD
    return Archive(
        owner_username=owner.in_profile(container, lists) or stated.owner,
        owner_hint=stated.hint,
        exported_on=stated.day,
        dialect=dialect,
        parts=present,
        missing_parts=tuple(_missing(present, limits)),
        following=_following(container, lists),
        source=_Reading(container, lists, latest).batches,
    )


def check_container(file: IO[bytes], name: str, limits: Limits = DEFAULT) -> None:
    """Refuse at once what cannot be an archive: by its name, its first and its last bytes.

    Reads 70 KB at most and parses nothing. Raises ArchiveError.
    """
    _form(file, name, limits)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The follower list of one container, which may be read repeatedly."""

    container: Container
    lists: Lists
    latest: int

    def batches(self, archive: Archive) -> Iterator[ColumnBatch]:
        """See Archive.batches."""
        for number, member in self.lists.parts.items():
            archive.part_ranges[number] = Range()
            for names, stated in _rows(self.container, self.lists.form, member):
                seconds = plausible(stated, self.latest)
                archive.part_ranges[number] = archive.part_ranges[number].including(seconds)
                if "" in names:
                    names, seconds = _without_nameless(archive, names, seconds)
                if names:
                    yield ColumnBatch(number, names, seconds)
            unnamed = archive.unnamed
            if unnamed > max(3, archive.total // 100) or (unnamed and unnamed == archive.total):
                raise ArchiveError(Problem.WRONG_SHAPE, member=member, unnamed=unnamed)


def _without_nameless(
    archive: Archive, names: list[str], seconds: list[int | None]
) -> tuple[list[str], list[int | None]]:
    unnamed = [second for name, second in zip(names, seconds, strict=True) if not name]
    archive.nameless.extend(second for second in unnamed if second is not None)
    archive.nameless_undated += sum(second is None for second in unnamed)
    kept = [index for index, name in enumerate(names) if name]
    return [names[index] for index in kept], [seconds[index] for index in kept]


def _container(source: Path | IO[bytes], name: str | None, limits: Limits) -> Container:
    if isinstance(source, Path) and source.is_dir():
        return FolderContainer(source, limits)
    try:
        file = source.open("rb") if isinstance(source, Path) else source
    except OSError as error:
        raise ArchiveError(Problem.UNREACHABLE) from error
    called = name or (source.name if isinstance(source, Path) else "")
    form = _form(file, called, limits)
    return form(file, called, limits)


def _form(file: IO[bytes], called: str, limits: Limits) -> type[ZipContainer] | type[FileContainer]:
    """The form of the file, by its name, its first and its last bytes."""
    file.seek(0)
    head = file.read(4_096)
    file.seek(0)
    if head[:2] == b"PK":
        find_directory(file, limits)
        file.seek(0)
        return ZipContainer
    if list_ending(called) is None or zipfile.is_zipfile(file):
        raise ArchiveError(Problem.NOT_AN_ARCHIVE)
    file.seek(0)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not head:
        raise ArchiveError(Problem.DAMAGED)
    if start not in (b"[", b"{", b"<"):
        raise ArchiveError(Problem.NOT_AN_ARCHIVE)
    return FileContainer


def _dialect(container: Container, lists: Lists) -> tuple[str, Lists]:
    """The first part's dialect, and the lists with their form."""
    first = next(iter(lists.parts.values()))
    if lists.form in ("html", "connections"):
        return lists.form, lists
    people = JsonList(container.stream(first), first)
    if lists.form == "unnamed" and people.key is None:
        # Close friends and others are bare arrays too: only the name distinguishes them.
        raise ArchiveError(Problem.NAME_UNKNOWN, member=first)
    _check_key(people)
    return people.dialect, replace(lists, form="json")


def _check_key(people: JsonList) -> None:
    key = people.key
    if key is None or key == FOLLOWERS:
        return
    if key.startswith(THREADS):
        raise ArchiveError(Problem.ONLY_THREADS, member=people.member)
    if key.startswith(OTHER_LISTS):
        raise ArchiveError(Problem.ANOTHER_LIST, member=people.member)
    raise ArchiveError(Problem.WRONG_SHAPE, member=people.member)


def _rows(container: Container, form: str, member: str) -> Rows:
    if form == "html":
        return html_rows.rows(container.stream(member), member)
    if form == "connections":
        return connections_json.rows(container.stream(member), member)
    people = JsonList(container.stream(member), member)
    _check_key(people)
    return people.rows()


def _following(container: Container, lists: Lists) -> Range | None:
    """The span of the accounts the owner follows; never a reason to refuse the followers."""
    span = Range()
    try:
        for member in lists.following:
            if lists.form == "connections":
                rows = connections_json.rows(container.stream(member), member, "following")
            elif lists.form == "html":
                rows = html_rows.rows(container.stream(member), member)
            else:
                people = JsonList(container.stream(member), member)
                if people.key not in (None, FOLLOWING):
                    return None
                rows = people.rows()
            for _, seconds in rows:
                span = span.including(seconds)
    except ArchiveError:
        return None
    return span if lists.following else None


def _missing(present: tuple[int, ...], limits: Limits) -> Iterator[int]:
    """Numbers absent below the highest. A part missing at the end cannot be seen."""
    highest = max(present)
    if highest > limits.parts:
        raise ArchiveError(Problem.WRONG_SHAPE, parts=highest)
    return (number for number in range(1, highest) if number not in present)
