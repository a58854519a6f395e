"""What `manage.py doctor` looks at, each finding in words with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection

from accounts import files
from accounts.outbound.budget import within
from accounts.outbound.client import OutboundError, chosen_by_operator
from accounts.selectors.duties import nights_wanting_care
from accounts.services import hosts
from followersync.selectors import operations
from threadsite import health, heartbeat, serving

OLDEST_POSTGRESQL = 150_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, what was seen, what to do."""

    well: bool
    what: str
    advice: str = ""


def examine() -> list[Finding]:
    """Every finding; those that need the database only where it answers."""
    findings = list(_database())
    if findings[0].well:
        findings += [*_migrations_and_queue(), *_storages(), *_nights(), *_syncs()]
    return [*findings, *_instagram(), *_mail()]


def _database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except DatabaseError:
        yield Finding(
            False, "The database does not answer.", "Check DATABASE_URL and that it runs."
        )
        return
    version = connection.pg_version  # type: ignore[attr-defined]
    yield Finding(
        version >= OLDEST_POSTGRESQL,
        f"The database answers (PostgreSQL {version // 10_000}).",
        "" if version >= OLDEST_POSTGRESQL else "PostgreSQL 15 or newer is needed.",
    )


def _migrations_and_queue() -> Iterator[Finding]:
    state = health.readiness()
    migrated = state["migrations"] == "ok"
    yield Finding(
        migrated,
        "The tables are up to date." if migrated else "Migrations are pending.",
        "" if migrated else "Run `manage.py migrate`.",
    )
    age = heartbeat.age() if migrated else None
    alive = age is not None and age < heartbeat.STALE_SECONDS
    seen = (
        "The queue has never run."
        if age is None
        else f"The queue last proved alive {age:.0f} s ago."
    )
    yield Finding(alive, seen, "" if alive else "Run `manage.py queue` and keep it running.")


def _storages() -> Iterator[Finding]:
    """Files that every host must reach, and the list of erasures."""
    if health.readiness()["migrations"] != "ok":
        return
    refused = serving.refusal(fresh=True)
    yield Finding(not refused, refused or "The database knows every erasure of the list.")
    try:
        reached = files.mark()
    except files.StorageFailed as error:
        yield Finding(False, f"Files cannot be stored: {error.reason}.", "Check FILES_URL.")
    else:
        yield Finding(bool(reached), "Files can be stored.")
    told = serving.not_shared()
    for words in told:
        yield Finding(False, words)
    if not told:
        living = ", ".join(host.name for host in hosts.alive()) or "none"
        yield Finding(True, f"All living hosts share their files ({living}).")
    if not settings.ERASURES_URL:
        yield Finding(
            settings.DEBUG,
            "The list of erasures lies on this host's own disk.",
            "Set ERASURES_URL to where backups are not, so that it outlives this host.",
        )


def _nights() -> Iterator[Finding]:
    """Nightly work that fails or does not fit its night."""
    try:
        late = nights_wanting_care()
    except DatabaseError:
        return
    for job in late:
        yield Finding(
            False,
            f"Nightly work “{job.name}” of {job.night} is not done"
            f"{f' ({job.error_code})' if job.error_code else ''}: "
            f"{job.seconds:.0f} s of work so far, {job.slices} slices.",
            "Look at the queue's log; `manage.py nightly` does it by hand.",
        )
    if not late:
        yield Finding(True, "Nightly work fits its night.")


def _syncs() -> Iterator[Finding]:
    try:
        counts = operations.operational_counts()
    except DatabaseError:
        return
    for name, words in (
        ("accounts_overdue", "accounts overdue for a sync"),
        ("accounts_failing", "accounts whose last syncs failed"),
        ("runs_stuck", "runs that nobody advances"),
    ):
        number = counts.get(name, 0)
        yield Finding(
            not number,
            f"{number} {words}.",
            "Look at the queue's log and the admin's overview." if number else "",
        )


def _instagram() -> Iterator[Finding]:
    if not settings.INSTAGRAM_FOLLOWERS_EDGE:
        yield Finding(
            True,
            "No list endpoint is set: followers come from archives, Instagram gives counts only.",
        )
    for name in ("INSTAGRAM_API_URL", "INSTAGRAM_GRAPH_URL"):
        address = getattr(settings, name)
        try:
            # Any answer will do, and none is asked for with a token.
            with within(seconds=5, most_bytes=1 << 20):
                chosen_by_operator().send("GET", address, headers={}).close()
        except OutboundError:
            yield Finding(False, f"{address} does not answer.", f"Check {name} and the network.")
        else:
            yield Finding(True, f"{address} answers.")


def _mail() -> Iterator[Finding]:
    well = bool(settings.EMAIL_HOST) or settings.DEBUG
    yield Finding(
        well,
        "Mail is sent." if well else "Mails are printed, not sent.",
        "" if well else "Set EMAIL_HOST, so that members get notices and can recover access.",
    )
