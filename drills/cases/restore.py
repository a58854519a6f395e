"""A dump from before an erasure is restored into a new database, on a new host."""

from __future__ import annotations

from drills.backup_site import backup_site, check_restored, program
from drills.report import Report
from drills.stage import Options
from threadsite.embedded import EmbeddedServer


def run(options: Options) -> Report:
    """Dump, erase, restore, be refused, replay: nothing of the erased person is left."""
    report = Report("a database restored from a dump that is older than an erasure")
    with backup_site(report, port=options.port, keep=options.keep) as site:
        server = EmbeddedServer(site.home / "server" / "postgres")
        database = server.start()
        try:
            old_host = site.on("old-host", database)
            report.must(site.manage(old_host, "migrate").code == 0, "no tables")
            site.person(old_host, "make")
            dump = site.home / "backup.dump"
            site.run([program("pg_dump"), "-Fc", "-f", str(dump), database], None, "pg_dump -Fc …")
            erased = site.person(old_host, "erase")
            report.must("member: completed" in erased.output, "nobody was erased")
            site.run(
                [program("psql"), "-q", database, "-c", "CREATE DATABASE restored"],
                None,
                "createdb restored",
            )
            restored = database.replace("/threadsite?", "/restored?")
            site.run(
                [program("pg_restore"), "-d", restored, str(dump)], None, "pg_restore -d restored …"
            )
            check_restored(site, restored)
        finally:
            server.stop()
    return report
