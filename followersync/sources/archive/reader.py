"""An archive of any form and dialect, as batches of columns and the facts about them."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import IO

from followersync.sources.archive import connections, html_rows
from followersync.sources.archive.batches import Batch, Rows, plausible
from followersync.sources.archive.container import (
    Container,
    FileContainer,
    FolderContainer,
    ZipContainer,
)
from followersync.sources.archive.errors import ArchiveError, Problem
from followersync.sources.archive.json_rows import OTHER_LISTS, THREADS, JsonList
from followersync.sources.archive.limits import DEFAULT, Limits
from followersync.sources.archive.locate import Lists, find_lists, owner_and_day
from followersync.sources.archive.profile import owner_in_profile

FOLLOWERS = "relationships_followers"
FOLLOWING = "relationships_following"
# Clocks differ and export days are the member's: times up to this far ahead are believed.
_AHEAD = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Range:
    """The span of follow seconds among `dated` of `rows` people."""

    oldest: int | None = None
    newest: int | None = None
    dated: int = 0
    rows: int = 0

    def including(self, seconds: list[int | None]) -> Range:
        """The span with these people added."""
        known = [s for s in seconds if s is not None]
        rows = self.rows + len(seconds)
        if not known:
            return replace(self, rows=rows)
        oldest, newest = min(known), max(known)
        return Range(
            oldest if self.oldest is None else min(self.oldest, oldest),
            newest if self.newest is None else max(self.newest, newest),
            self.dated + len(known),
            rows,
        )


@dataclass(slots=True)
class Archive:
    """One export, opened: what its names and headers say, and its followers to be streamed.

    `owner_username` and `exported_on` are None where the archive does not say. `approximate`:
    times are right to a minute at best (HTML). `following` spans the accounts the owner follows,
    None where that list is absent or unreadable. `part_ranges`, `nameless` and `total` are true
    once `batches()` has been read to its end.
    """

    owner_username: str | None
    exported_on: date | None
    dialect: str
    approximate: bool
    parts: tuple[int, ...]
    missing_parts: tuple[int, ...]
    following: Range | None
    _container: Container
    _lists: Lists
    _latest: int
    warnings: list[str] = field(default_factory=list)
    part_ranges: dict[int, Range] = field(default_factory=dict)
    nameless: list[int] = field(default_factory=list)
    nameless_undated: int = 0

    @property
    def total(self) -> int:
        """Rows read, repeated names counted as often as they stand there."""
        return sum(part.rows for part in self.part_ranges.values())

    @property
    def span(self) -> Range:
        """All parts together."""
        found = [part for part in self.part_ranges.values() if part.oldest is not None]
        return Range(
            min((p.oldest for p in found if p.oldest is not None), default=None),
            max((p.newest for p in found if p.newest is not None), default=None),
            sum(p.dated for p in self.part_ranges.values()),
            self.total,
        )

    def batches(self) -> Iterator[Batch]:
        """Every follower, part by part; ArchiveError at the first thing that is not understood.

        Rows that name nobody (deleted people) are left out; their seconds are in `nameless`, so
        that nobody who followed then is taken for gone. Many of them are a wrong shape.
        """
        self.part_ranges, self.nameless, self.nameless_undated = {}, [], 0
        for number, member in self._lists.parts.items():
            self.part_ranges[number] = Range()
            for names, stated in _rows(self._container, self._lists.form, member):
                seconds = plausible(stated, self._latest)
                self.part_ranges[number] = self.part_ranges[number].including(seconds)
                if "" in names:
                    names, seconds = self._without_nameless(names, seconds)
                if names:
                    yield Batch(number, names, seconds)
            unnamed = len(self.nameless) + self.nameless_undated
            if unnamed > max(3, self.total // 100) or (unnamed and unnamed == self.total):
                raise ArchiveError(Problem.WRONG_SHAPE, member=member, unnamed=unnamed)

    def _without_nameless(
        self, names: list[str], seconds: list[int | None]
    ) -> tuple[list[str], list[int | None]]:
        unnamed = [second for name, second in zip(names, seconds, strict=True) if not name]
        self.nameless.extend(second for second in unnamed if second is not None)
        self.nameless_undated += sum(second is None for second in unnamed)
        kept = [index for index, name in enumerate(names) if name]
        return [names[index] for index in kept], [seconds[index] for index in kept]


def open_archive(
    source: Path | IO[bytes],
    *,
    name: str | None = None,
    limits: Limits = DEFAULT,
    now: int | None = None,
) -> Archive:
    """Look into a zip, an unpacked folder or a single list. Reads names and heads only.

    `source` is a path or a seekable binary file, `name` what the member called it (the owner and
    the day often stand there) and `now` the present in Unix seconds.
    Raises ArchiveError where it holds no follower list that is understood.
    """
    container = _container(source, name, limits)
    lists = find_lists(container.names, single=container.single)
    first = next(iter(lists.parts.values()))
    owner, day = owner_and_day(container.name, first)
    dialect, lists = _dialect(container, lists)
    if dialect == "html":
        stated_owner, stated_day = html_rows.header(container.stream(first))
        owner, day = owner or stated_owner, day or stated_day
    present = tuple(lists.parts)
    following = _following(container, lists)
    archive = Archive(
        owner_username=owner or owner_in_profile(container, lists),
        exported_on=day,
        dialect=dialect,
        approximate=dialect == "html",
        parts=present,
        missing_parts=tuple(_missing(present, limits)),
        following=following,
        _container=container,
        _lists=lists,
        _latest=(int(time.time()) if now is None else now) + _AHEAD,
    )
    archive.warnings.extend(
        code
        for code, holds in (
            ("part_missing", archive.missing_parts),
            ("approximate_times", archive.approximate),
            ("owner_unknown", archive.owner_username is None),
            ("day_unknown", day is None),
            ("following_missing", following is None),
        )
        if holds
    )
    return archive


def merged(archive: Archive) -> dict[str, int | None]:
    """All followers by name, of repeated names the newest second. For lists that fit in memory."""
    people: dict[str, int | None] = {}
    for batch in archive.batches():
        for name, second in zip(batch.usernames, batch.seconds, strict=True):
            people[name] = max((s for s in (second, people.get(name)) if s), default=None)
    return people


def _container(source: Path | IO[bytes], name: str | None, limits: Limits) -> Container:
    if isinstance(source, Path) and source.is_dir():
        return FolderContainer(source, limits)
    try:
        file = source.open("rb") if isinstance(source, Path) else source
    except OSError as error:
        raise ArchiveError(Problem.UNREACHABLE) from error
    called = name or (source.name if isinstance(source, Path) else "")
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start[:2] == b"PK" or called.lower().endswith(".zip"):
        if start[:2] != b"PK":
            raise ArchiveError(Problem.NOT_AN_ARCHIVE)
        return ZipContainer(file, called, limits)
    if not called.lower().endswith((".json", ".html")) or zipfile.is_zipfile(file):
        raise ArchiveError(Problem.NOT_AN_ARCHIVE)
    return FileContainer(file, called, limits)


def _dialect(container: Container, lists: Lists) -> tuple[str, Lists]:
    """The first part's dialect, and the lists with their form settled."""
    first = next(iter(lists.parts.values()))
    if lists.form in ("html", "connections"):
        return lists.form, lists
    people = JsonList(container.stream(first), first)
    if lists.form == "unnamed" and people.key is None:
        # Close friends and others are bare arrays too: without the name nothing tells them apart.
        raise ArchiveError(Problem.NO_FOLLOWER_LIST, member=first)
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
        if not connections.has_object(container.stream(member), member):
            raise ArchiveError(Problem.WRONG_SHAPE, member=member)
        return connections.rows(container.stream(member), member)
    people = JsonList(container.stream(member), member)
    _check_key(people)
    return people.rows()


def _following(container: Container, lists: Lists) -> Range | None:
    """The span of the accounts the owner follows; never a reason to refuse the followers."""
    span = Range()
    try:
        for member in lists.following:
            if lists.form == "connections":
                rows = connections.rows(container.stream(member), member, "following")
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
