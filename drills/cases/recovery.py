"""Point-in-time recovery to before an erasure: base backup and write-ahead log."""

from __future__ import annotations

import os
import time
from pathlib import Path

from drills.backup_site import BackupSite, backup_site, check_restored, program
from drills.report import Report
from drills.stage import Options
from threadsite.embedded import EmbeddedServer


def run(options: Options) -> Report:
    """Back up, continue, erase, recover to before that, be refused, replay."""
    report = Report("a server recovered to a moment before an erasure")
    with backup_site(report, port=options.port, keep=options.keep) as site:
        archive = site.home / "archive"
        archive.mkdir()
        archive.chmod(0o777)
        server = EmbeddedServer(
            site.home / "server" / "postgres",
            {
                "wal_level": "replica",
                "archive_mode": "on",
                "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
            },
        )
        database = server.start()
        recovered = site.home / "recovered" / "postgres"
        try:
            _live(site, database, recovered)
        finally:
            server.stop()
        _recover(site, recovered, archive)
    return report


def _live(site: BackupSite, database: str, backup: Path) -> None:
    """A base backup, then a member, then the recovery target, then the erasure."""
    host = site.on("old-host", database)
    site.report.must(site.manage(host, "migrate").code == 0, "no tables")
    backup.parent.mkdir()
    base = [program("pg_basebackup"), "-d", database, "-D", str(backup), "-X", "none", "-c", "fast"]
    site.run(base, None, "pg_basebackup -X none …")
    site.person(host, "make")
    _sql(site, database, "SELECT pg_create_restore_point('before_the_erasure')")
    erased = site.person(host, "erase")
    site.report.must("member: completed" in erased.output, "nobody was erased")
    _sql(site, database, "SELECT pg_switch_wal()")


def _recover(site: BackupSite, folder: Path, archive: Path) -> None:
    """Start the base backup as a server of its own, which replays the log up to the target."""
    owner = (site.home / "server" / "postgres").stat()
    for path, _folders, names in os.walk(folder):
        for each in (Path(path), *(Path(path) / name for name in names)):
            os.chown(each, owner.st_uid, owner.st_gid)
    (folder / "recovery.signal").touch()
    os.chown(folder / "recovery.signal", owner.st_uid, owner.st_gid)
    settings = {
        "restore_command": f"cp {archive}/%f %p",
        "recovery_target_name": "before_the_erasure",
        "recovery_target_action": "promote",
    }
    site.tell("recovery.signal, and in postgresql.auto.conf:")
    site.tell(*(f"  {name} = '{value}'" for name, value in settings.items()))
    server = EmbeddedServer(folder, settings)
    database = server.start()
    try:
        until = time.monotonic() + 60
        while _sql(site, database, "SELECT pg_is_in_recovery()") == "t":
            site.report.must(time.monotonic() < until, "the recovery did not end")
            time.sleep(1)
        _sql(site, database, "SELECT 'timeline ' || left(pg_walfile_name(pg_current_wal_lsn()), 8)")
        check_restored(site, database)
    finally:
        server.stop()


def _sql(site: BackupSite, database: str, statement: str) -> str:
    command = [program("psql"), "-qAt", database, "-c", statement]
    return site.run(command, None, f'psql -c "{statement}"').last
