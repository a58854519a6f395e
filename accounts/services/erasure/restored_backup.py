"""Detects a restored backup: a database older than the list of erasures.

The list is compared with the database when a process starts to serve, and again when it finds
another database than before. If the list cannot be reached, a database that was compared before is
still served; one that may just have been restored is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from accounts.files.storage import StorageFailed
from accounts.models import ErasureList
from accounts.services.erasure import erasure_list, sql

#: Server, timeline and database: each way of restoring changes one of them, except copying back
#: all files of the server. A server that is still recovering has no timeline yet.
_IDENTITY: Final = """
SELECT (SELECT system_identifier FROM pg_control_system())::text || ':'
    || CASE WHEN pg_is_in_recovery() THEN %s ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END
    || ':' || (SELECT oid FROM pg_database WHERE datname = current_database())::text
"""
RECOVERING: Final = "recovering"
REPLAY: Final = "Run `manage.py replay_erasures`; until then nothing is served."
WITHOUT: Final = "If the list is lost for good, `manage.py replay_erasures --without-list` says so."


@dataclass(frozen=True)
class Compared:
    """`reason` is empty if the database may be served; `unknown` are numbers of entries."""

    reason: str = ""
    advice: str = ""
    unknown: frozenset[str] = frozenset()


def compare() -> Compared:
    """Compare the list with the database, and record a match."""
    own = ErasureList.objects.filter(pk=1).first()
    identity = database_identity()
    if RECOVERING in identity:
        return Compared("The database server is still recovering.", "Wait until it has ended.")
    try:
        source = erasure_list.storage()
        theirs = erasure_list.mark_of(source)
        listed = erasure_list.numbers(source)
        found = _judged(own, theirs, listed)
        if found.reason:
            return found
        erasure_list.begin(source)
    except StorageFailed as error:
        if own is not None and own.seen_on == identity:
            return Compared()
        return Compared(
            f"The list of erasures at ERASURES_URL cannot be read ({error.reason}), and this "
            "database was not compared with it yet.",
            "Check ERASURES_URL and ERASURES_OPTIONS.",
        )
    ErasureList.objects.filter(pk=1).exclude(seen_on=identity).update(seen_on=identity)
    return Compared()


def _judged(own: ErasureList | None, theirs: str | None, listed: set[str]) -> Compared:
    if own is not None and theirs is None:
        return Compared(
            "The list of erasures is not at ERASURES_URL: people who were erased since this "
            "database was backed up may be in it again.",
            f"Bring the list to that address, or correct it. {WITHOUT}",
        )
    if own is not None and theirs != own.mark:
        return Compared(
            "The list of erasures at ERASURES_URL belongs to another database.",
            "Correct ERASURES_URL, so that it names this site's own list.",
        )
    unknown = erasure_list.not_known(listed)
    if unknown:
        return Compared(
            f"This database is older than the list of erasures: it does not know {len(unknown)} "
            f"of its {len(listed)} entries, so a backup has brought people back.",
            REPLAY,
            frozenset(unknown),
        )
    return Compared()


def database_identity() -> str:
    """Identifies the database; a restored copy has another identity."""
    return str(sql.select(_IDENTITY, [RECOVERING])[0][0])
