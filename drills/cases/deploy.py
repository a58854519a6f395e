"""Deploys a release with a migration beside the old code, and rolls it back."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from drills import journey, truth
from drills.browser import Browser
from drills.release import UNSAFE, NextHost, Release
from drills.report import Report
from drills.stage import Options, running_site

if TYPE_CHECKING:
    from drills.stage import Host, Stage

#: A request waits for a migration's lock at most for the lock timeout.
SLOWEST_SECONDS = 6.0


def run(options: Options) -> Report:
    """Lint, migrate under load, run new beside old, try what the lint refuses, roll back."""
    with running_site(options) as stage:
        old, release = stage.hosts[0], Release(stage.home / "next")
        report = Report("a deploy with a migration, old and new code side by side")
        _judge(stage, release, report)
        _travel(stage, report, "old code, old tables", old)
        with stage.visitor().asking() as visitor, truth.life(stage):
            began = time.monotonic()
            _noted(release.migrate(stage.variables), report, "the migration")
            report.took["migrated, with members at work"] = time.monotonic() - began
            _travel(stage, report, "old code, new tables", old)
            new = _next_host(stage, release)
            _travel(stage, report, "old and new code in turn", old, new)
            _travel(stage, report, "new code, new tables", new)
            report.saw(visitor, began)
            answers = [seen for seen in visitor.answers if seen.began >= began]
        bad = [seen for seen in answers if seen.status != 200]
        report.must(not bad, f"{len(bad)} requests were not answered with 200")
        slowest = max((seen.seconds for seen in answers), default=0.0)
        report.must(slowest < SLOWEST_SECONDS, f"a request took {slowest:.1f} s")
        truth.settle(stage, report)
        _refused(stage, report, old)
        _go_back(stage, report, release, old, new)
        return report


def _judge(stage: Stage, release: Release, report: Report) -> None:
    """The lint accepts the sample, and refuses the variant that `makemigrations` writes."""
    found = release.lint(stage.variables)
    report.must(found.returncode == 0, f"the lint refuses the sample: {found.stdout.strip()}")
    twin = Release(stage.home / "twin", UNSAFE).lint(stage.variables)
    report.must("ban-drop-default" in twin.stdout, "the lint lets the unsafe twin pass")
    report.notes.append(f"lint of the sample: {found.stdout.strip().splitlines()[-1]}")


def _travel(stage: Stage, report: Report, what: str, *hosts: Host) -> None:
    began = time.monotonic()
    browser = Browser(stage.hosts[0].url, [host.port for host in hosts])
    try:
        steps = journey.whole(browser, stage.sandbox)
    except journey.Broken as error:
        report.faults.append(f"{what}: {error}")
    else:
        report.notes.append(f"{what}: {steps} steps in {time.monotonic() - began:.1f} s")


def _next_host(stage: Stage, release: Release) -> NextHost:
    port = stage.options.port + 2 + len(stage.hosts)
    # A host without the list of erasures refuses to serve.
    shared = {"ERASURES_URL": (stage.hosts[0].home / "erasures").as_uri()}
    host = NextHost("next-host", stage.home / "next-host", {**stage.variables, **shared}, port)
    host.release = release
    stage.hosts.append(host)
    host.start("web")
    host.start("queue")
    stage.wait_for(f"{host.url}/healthz")
    return host


def _refused(stage: Stage, report: Report, old: Host) -> None:
    """Apply the refused variant under the old code: the drill must notice the errors."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE followersync_syncsettings ALTER COLUMN label DROP DEFAULT")
    browser = Browser(stage.hosts[0].url, [old.port])
    try:
        journey.whole(browser, stage.sandbox)
    except journey.Broken as error:
        report.notes.append(f"the unsafe twin breaks the old code, as it must: {error}")
    else:
        report.faults.append("the unsafe twin's tables broke nothing: the drill would miss it")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE followersync_syncsettings ALTER COLUMN label SET DEFAULT ''")


def _go_back(stage: Stage, report: Report, release: Release, old: Host, new: NextHost) -> None:
    """The new code first, then its tables."""
    new.stop("web")
    new.stop("queue")
    _noted(release.migrate(stage.variables, "followersync", release.last), report, "the way back")
    _travel(stage, report, "taken back", old)


def _noted(outcome: subprocess.CompletedProcess[str], report: Report, what: str) -> None:
    said = outcome.stderr.strip().splitlines()[-1:] or [""]
    report.must(outcome.returncode == 0, f"{what} failed: {said[0]}")
