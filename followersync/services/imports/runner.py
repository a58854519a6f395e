"""Import runner: reads an archive to a spool, compares it with the list, and writes the changes.

Reading happens outside of any transaction, with a heartbeat; all changes to the list happen in one
transaction afterwards. So neither a bad archive nor a dying worker leaves anything half done.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.db import transaction

from accounts import clock, files
from accounts.scopes import Scope
from accounts.services import gate, suppression
from followersync.domain import digest
from followersync.domain.archive_completeness import (
    Assessment,
    Completeness,
    Reason,
    Stored,
    assess,
)
from followersync.domain.archive_losses import Flaw, Look, Weight
from followersync.models import ArchiveImport, SyncSettings
from followersync.services.imports import external_sort, judgement, result
from followersync.services.imports.context import ImportContext, import_context
from followersync.services.imports.result import ImportResult, ReadArchive
from followersync.services.sync import lease as leases
from followersync.store import archive_apply, archive_compare, archive_load

if TYPE_CHECKING:
    from followersync.services.sync.lease import Lease
    from followersync.sources.archive import Archive, ColumnBatch

HEARTBEAT_SECONDS = 3.0
# Rows sent to the server at a time: what a socket buffers without waiting.
STEP = 1_000

Watch = Callable[[dict[str, int | None]], None]


def run(lease: Lease, job: ArchiveImport, archive: Archive, *, watch: Watch | None = None) -> None:
    """Import it. Raises ArchiveError, LostClaim or the gate's errors, with nothing changed."""
    with tempfile.TemporaryFile(dir=files.scratch()) as spool:
        read = _read(lease, archive, spool, watch)
        spool.seek(0)
        with transaction.atomic():
            leases.commit(lease)
            gate.check(lease.account_id, Scope.FOLLOWERS)
            _apply(lease, job, read)


def pack(path: Path, file: IO[bytes]) -> None:
    """The lists of an unpacked export as a zip."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member in sorted(path.rglob("*")):
            lists = member.suffix in (".json", ".html") and not member.is_symlink()
            if lists and member.is_file() and "media" not in member.relative_to(path).parts:
                archive.write(member, member.relative_to(path))


def _read(lease: Lease, archive: Archive, spool: IO[bytes], watch: Watch | None) -> ReadArchive:
    """Write the archive to the spool, hashing it; consent is checked again with each heartbeat."""
    read = ReadArchive(archive, spool)
    hashed = hashlib.blake2b(digest_size=32)
    beat = time.monotonic()
    for batch in archive.batches():
        names, seconds = _without_hidden(batch, read)
        lines = "".join(
            [
                f"{name}\t{second}\n" if second is not None else f"{name}\t\n"
                for name, second in zip(names, seconds, strict=True)
            ]
        ).encode()
        hashed.update(lines)
        spool.write(lines)
        read.rows += len(names)
        if time.monotonic() - beat > HEARTBEAT_SECONDS:
            beat = time.monotonic()
            _beat(lease, read, batch.part, watch)
    read.nameless += archive.nameless
    read.fingerprint = hashed.hexdigest()
    return read


def _without_hidden(batch: ColumnBatch, read: ReadArchive) -> tuple[list[str], list[int | None]]:
    """The batch without suppressed people.

    Their seconds count as nameless, so that others with the same second are not taken for lost.
    """
    names, seconds = batch.usernames, batch.seconds
    hidden = suppression.suppressed((), names)
    if not hidden:
        return names, seconds
    kept = [index for index, name in enumerate(names) if name not in hidden]
    gone = [seconds[index] for index, name in enumerate(names) if name in hidden]
    read.nameless += [second for second in gone if second is not None]
    read.undated_hidden += sum(second is None for second in gone)
    return [names[index] for index in kept], [seconds[index] for index in kept]


def _beat(lease: Lease, read: ReadArchive, part: int, watch: Watch | None) -> None:
    gate.check(lease.account_id, Scope.FOLLOWERS)
    progress = {"seen": read.rows, "expected": None, "page": part}
    leases.commit(lease, progress=progress, pages=part)
    if watch is not None:
        watch(progress)


def _apply(lease: Lease, job: ArchiveImport, read: ReadArchive) -> None:
    settings = SyncSettings.objects.select_for_update().get(pk=lease.account_id)
    now = clock.now()
    at = max(now, settings.last_change_at or now)
    result.date(job, read, now)
    known = import_context(job, settings, now)
    look = Look(Weight.NOTHING, (), known.earliest, known.latest, sees_new=False)
    if settings.followers_count == 0 and settings.baseline_at is None:
        assessment = _first(lease, settings, read, at)
        found = ImportResult(assessment, {"baseline": settings.followers_count}, 0, at, look)
    elif known.same(settings):
        # Repeated content changes nothing: its earlier result is shown again.
        reasons = tuple(Reason(each) for each in known.reasons if each in set(Reason))
        look = replace(look, flaws=(Flaw.REPEATED,))
        found = ImportResult(Assessment(Completeness(known.kind), reasons), {}, 0, at, look)
    else:
        found = _compare(lease, settings, read, known, at)
    result.close(lease, job, settings, read, found)


def _first(lease: Lease, settings: SyncSettings, read: ReadArchive, at: datetime) -> Assessment:
    """Load the first list, the baseline, which enters no feed."""
    people, total = _load(lease.account_id, read, bytes(settings.digest_key))
    settings.digest = digest.to_hex(total)
    settings.followers_count = people
    settings.last_change_at = at
    return assess(read.shown.listed(people), Stored(), settings.reported)


def _load(account_id: int, read: ReadArchive, digest_key: bytes) -> tuple[int, int]:
    """Write everybody; (people, digest). The next batch is hashed while the server writes one."""
    people = total = 0
    keys = archive_load.draw_keys(read.rows)
    with archive_load.follower_writer(account_id) as write:
        for block in external_sort.by_name(read.spool):
            names, seconds = list(block), list(block.values())
            people += len(names)
            for start in range(0, len(names), STEP):
                step = names[start : start + STEP]
                drawn = list(islice(keys, len(step)))
                write(drawn, step, seconds[start : start + STEP])
                texts = [b"%d\x00%s" % row for row in zip(drawn, step, strict=True)]
                total += digest.total_of_texts(digest_key, texts)
    return people, total % digest.MODULUS


def _compare(
    lease: Lease, settings: SyncSettings, read: ReadArchive, known: ImportContext, at: datetime
) -> ImportResult:
    """Judge and write every difference."""
    archive_compare.stage(read.spool)
    account = judgement.AccountFacts(
        lease.account_id, settings.reported, settings.baseline_at, settings.complete
    )
    judged = judgement.judge(account, read.shown, known)
    archive_apply.draw_keys()
    verdicts = _write(lease.account_id, settings, at, judged.look)
    unconfirmed = archive_apply.write_absences(lease.account_id, judged.look)
    return ImportResult(judged.assessment, verdicts, unconfirmed, at, judged.look)


def _write(account_id: int, settings: SyncSettings, at: datetime, look: Look) -> dict[str, int]:
    """Write list, history, feed and digest from the verdicts."""
    verdicts = archive_apply.count_verdicts()
    archive_apply.write_list(account_id, at, look)
    entries = archive_apply.append_feed(account_id, settings.head, at)
    if not entries:
        return verdicts
    value, key = digest.from_hex(settings.digest), bytes(settings.digest_key)
    entered: list[tuple[int, str]] = []
    left: list[tuple[int, str]] = []
    for enters, person, name in archive_apply.changed_rows():
        (entered if enters else left).append((person, name))
    settings.digest = digest.to_hex(
        digest.combine(value, added=entered, removed=left, digest_key=key)
    )
    settings.head += entries
    settings.followers_count += len(entered) - len(left)
    settings.last_change_at = at
    return verdicts
