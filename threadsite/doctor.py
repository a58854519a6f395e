"""The checks of `manage.py doctor`, each with a remedy.

A check that fails by an error reports it, and the others continue.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core import checks
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error

from accounts import clock, crypto, files
from accounts.errors import Bug
from accounts.models import AccessToken
from accounts.outbound.budget import within
from accounts.outbound.client import OutboundError, client_for_operator_url
from accounts.selectors.duties import deadline_counts, overdue_nightly_work
from accounts.services import hosts
from followersync.selectors import operations
from threadsite import heartbeat, server_state, serving

OLDEST_POSTGRESQL: Final = 150_000
#: Leases and signatures tolerate a few seconds.
CLOCK_SECONDS: Final = 5.0
DISK_SHARE: Final = 0.1
CONNECTIONS_SHARE: Final = 0.8
#: How many of the newest stored tokens are tried with the keys.
TOKENS_TRIED: Final = 20


@dataclass(frozen=True)
class Finding:
    """One result: whether it is well, what was seen, what to do."""

    well: bool
    what: str
    advice: str = ""


def examine() -> list[Finding]:
    """All findings; those that need the database or its tables only if these exist."""
    findings = _guarded("the settings", _settings)
    database = _guarded("the database", _database)
    findings += database
    if all(each.well for each in database):
        tables = _guarded("the tables", _tables)
        findings += tables
        if all(each.well for each in tables):
            for what, look in OF_THE_TABLES.items():
                findings += _guarded(what, look)
    for what, look in OF_THE_HOST.items():
        findings += _guarded(what, look)
    return findings


def _guarded(what: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """The findings of a check, and its error if it raises one."""
    found: list[Finding] = []
    try:
        for each in look():
            found.append(each)
    except Exception as error:
        said = (str(error).strip().splitlines() or [""])[0][:200]
        found.append(
            Finding(False, f"Looking at {what} failed ({type(error).__name__}): {said}", "")
        )
    return found


def _settings() -> Iterator[Finding]:
    for message in checks.run_checks():
        if message.level >= checks.WARNING:
            yield Finding(False, f"{message.id}: {message.msg}", message.hint or "")
    if settings.SECURE and not settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        yield Finding(
            False,
            "PUBLIC_URL is https, but TRUSTED_PROXY_COUNT is 0: all visitors count as one.",
            "Set TRUSTED_PROXY_COUNT to the number of proxies in front.",
        )
    if settings.DEBUG:
        yield Finding(False, "DEBUG is on: errors show the site's inside.", "Unset DEBUG.")


def _database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except Error as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        yield Finding(
            False,
            f"The database does not answer: {said}",
            "Check DATABASE_URL, and that PostgreSQL runs and lets this host in.",
        )
        return
    version = connection.pg_version  # type: ignore[attr-defined]
    yield Finding(
        version >= OLDEST_POSTGRESQL,
        f"The database answers (PostgreSQL {version // 10_000}).",
        "" if version >= OLDEST_POSTGRESQL else "PostgreSQL 15 or newer is needed.",
    )


def _tables() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield Finding(
        not pending,
        f"{len(pending)} migrations are pending." if pending else "The tables are up to date.",
        "Run `manage.py migrate`." if pending else "",
    )


def _clocks() -> Iterator[Finding]:
    if settings.CLOCK_FOLDER is not None:
        return
    apart = abs((datetime.now(UTC) - clock.now()).total_seconds())
    yield Finding(
        apart <= CLOCK_SECONDS,
        f"This host's clock is {apart:.0f} s from the database's.",
        "" if apart <= CLOCK_SECONDS else "Let both hosts take the time from NTP.",
    )


def _connections() -> Iterator[Finding]:
    found = server_state.database()
    used, limit = found["database_connections"], found["database_connections_limit"]
    well = used <= CONNECTIONS_SHARE * limit
    yield Finding(
        well,
        f"{used:.0f} of {limit:.0f} database connections are in use.",
        "" if well else "Raise max_connections, or run fewer web threads and queue workers.",
    )


def _keys() -> Iterator[Finding]:
    stored = AccessToken.objects.order_by("-pk").values_list("ciphertext", flat=True)
    tried = list(stored[:TOKENS_TRIED])
    shut = 0
    for ciphertext in tried:
        try:
            crypto.decrypt(ciphertext)
        except Bug:
            shut += 1
    yield Finding(
        not shut,
        f"TOKEN_KEYS opens {len(tried) - shut} of the {len(tried)} newest stored tokens.",
        "Put the key back under which they were stored, then run `manage.py rotate_keys`."
        if shut
        else "",
    )


def _cache() -> Iterator[Finding]:
    name = "Redis" if settings.REDIS_URL else "The cache in the database"
    try:
        cache.set("threadsite:doctor", 1, timeout=10)
        well, said = cache.get("threadsite:doctor") == 1, "forgets at once"
    except Exception as error:
        well, said = False, f"does not answer ({type(error).__name__})"
    yield Finding(
        well,
        f"{name} {'answers' if well else said}.",
        "" if well else "Check REDIS_URL and that it runs; its eviction policy must be noeviction.",
    )


def _queue() -> Iterator[Finding]:
    age = heartbeat.age()
    alive = age is not None and age < heartbeat.STALE_SECONDS
    seen = (
        "The queue has never run."
        if age is None
        else f"The queue last proved alive {age:.0f} s ago."
    )
    yield Finding(alive, seen, "" if alive else "Run `manage.py queue` and keep it running.")


def _storages() -> Iterator[Finding]:
    """The storage of files that every host must reach, and the list of erasures."""
    refused = serving.refusal(fresh=True)
    yield Finding(not refused, refused or "The database knows every erasure of the list.")
    try:
        reached = files.mark()
    except files.StorageFailed as error:
        yield Finding(False, f"Files cannot be stored: {error.reason}.", "Check FILES_URL.")
    else:
        yield Finding(bool(reached), "Files can be stored.")
    messages = serving.not_shared()
    for words in messages:
        yield Finding(False, words)
    if not messages:
        living = ", ".join(hosts.living()) or "none"
        yield Finding(True, f"All living hosts share their files ({living}).")
    if not settings.ERASURES_URL:
        yield Finding(
            settings.DEBUG,
            "The list of erasures lies on this host's own disk.",
            "Set ERASURES_URL to where backups are not, so that it outlives this host.",
        )


def _nights() -> Iterator[Finding]:
    """Nightly work that fails or takes longer than a night."""
    late = overdue_nightly_work()
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
    counts = operations.operational_counts()
    for name, words in (
        ("accounts_overdue", "accounts overdue for a sync"),
        ("accounts_failing", "accounts whose last syncs failed"),
        ("runs_stuck", "runs that nobody advances"),
    ):
        number = counts[name]
        advice = "Look at the queue's log and the admin's overview." if number else ""
        yield Finding(not number, f"{number} {words}.", advice)


def _duties() -> Iterator[Finding]:
    counts = deadline_counts()
    for name, words, advice in (
        ("erasures_overdue", "erasures overdue", "Open them in the admin, under deletions."),
        ("erasures_failed", "erasures failed", "Open them in the admin, under deletions."),
        ("privacy_requests_overdue", "requests of people overdue", "Answer them in the admin."),
        ("residue_findings", "words of erased people met", "Judge them in the admin."),
        ("tokens_expired", "tokens ended unrefreshed", "Look at the queue's log."),
    ):
        number = counts[name]
        yield Finding(not number, f"{number} {words}.", advice if number else "")


def _home() -> Iterator[Finding]:
    home = Path(settings.THREADSITE_HOME)
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        yield Finding(
            False,
            f"Nothing can be written to THREADSITE_HOME ({home}): {error.strerror}.",
            "Create it and give it to the user that runs Threadsite.",
        )
        return
    disk = shutil.disk_usage(home)
    well = disk.free >= DISK_SHARE * disk.total
    yield Finding(
        well,
        f"THREADSITE_HOME can be written to; {disk.free / disk.total:.0%} of its disk is free.",
        "" if well else "Make room: uploads are refused and copies fail on a full disk.",
    )


def _static() -> Iterator[Finding]:
    collected = (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file()
    well = collected or settings.DEBUG
    yield Finding(
        well,
        "Styles and scripts are collected." if collected else "Static files are not collected.",
        "" if well else "Run `manage.py collectstatic`, then restart the web process.",
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
            # Any answer will do; the request carries no token.
            with within(seconds=5, most_bytes=1 << 20):
                client_for_operator_url().send("GET", address, headers={}).close()
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


Look = Callable[[], Iterator[Finding]]
OF_THE_TABLES: Final[dict[str, Look]] = {
    "the clocks": _clocks,
    "the connections": _connections,
    "the keys": _keys,
    "the cache": _cache,
    "the queue": _queue,
    "the storages": _storages,
    "nightly work": _nights,
    "the syncs": _syncs,
    "erasures and requests": _duties,
}
OF_THE_HOST: Final[dict[str, Look]] = {
    "THREADSITE_HOME": _home,
    "the static files": _static,
    "Instagram": _instagram,
    "mail": _mail,
}
