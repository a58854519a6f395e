"""Two hosts with networks and disks of their own: one loses its power while members are at work."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from drills import network, truth
from drills.balancer import Balancer
from drills.browser import Browser
from drills.journey import Broken
from drills.mailbox import mailbox
from drills.member import Visitor, until
from drills.report import Report
from drills.stage import Ground, Options, Stage, running_site, say
from drills.suite import LEAVING, PROGRAM, SCOPES, STAYING, Traveller

if TYPE_CHECKING:
    from drills.browser import Answer
    from drills.network import Machine

BACK_SECONDS = 60.0
#: As `/readyz` has it: all workers may be busy for as long as a task may take.
WORK_SECONDS = 150.0
PATIENCE_SECONDS = 60.0
LET_GO_SECONDS = 60.0
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE client_addr = %s::inet"
#: A transaction that is open for as long as its host is.
HOLD = """
import os, sys, time, django
os.environ["DJANGO_SETTINGS_MODULE"] = "threadsite.settings"
django.setup()
from django.db import transaction
from followersync.models import SyncSettings
with transaction.atomic():
    SyncSettings.objects.select_for_update().get(pk=sys.argv[1])
    print("held", flush=True)
    time.sleep(3600)
"""
KEYS = {"key": "AKIADRILL", "secret": "s3-secret"}


def run(options: Options) -> Report:
    """All journeys on both, on the one that is left, and on both again; nothing may be lost."""
    report = Report("one of two hosts lost its power right after it had taken a member's archive")
    lacking = network.missing()
    if lacking:
        report.skipped = f"This drill needs machines of its own: {lacking}."
        return report
    network.begin()
    ground = Ground("0.0.0.0", network.Database, network.Machine)
    settings: dict[str, Any] = _settings(options.port)
    with (
        _bucket(options.port + 9) as bucket,
        mailbox(network.SHARED, options.port + 6),
        running_site(options, ground, hosts=2, **settings, **bucket) as stage,
        # One for those who travel, so that each of their requests goes to the other host.
        Balancer(stage.hosts).serving(network.SHARED, options.port + 8) as balancer,
        Balancer(stage.hosts).serving(network.SHARED, options.port + 7) as beside,
    ):
        _Drill(stage, balancer, beside, report).run()
    return report


def _settings(port: int) -> dict[str, Any]:
    sandbox = f"http://{network.SHARED}:{port + 1}"
    return {
        "PUBLIC_URL": f"http://{network.SHARED}:{port + 8}",
        "ALLOWED_HOSTS": network.SHARED,
        "TRUSTED_PROXY_COUNT": "1",
        "INSTAGRAM_OAUTH_URL": sandbox,
        "INSTAGRAM_API_URL": sandbox,
        "INSTAGRAM_GRAPH_URL": sandbox,
        "TRANSFER_DESTINATION": "true",
        "FILES_URL": "database:",
        "EMAIL_HOST": network.SHARED,
        "EMAIL_PORT": str(port + 6),
        "EMAIL_USE_TLS": "false",
    }


@contextmanager
def _bucket(port: int) -> Iterator[dict[str, Any]]:
    """An S3 for the list of erasures; yields the settings that lead there."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(network.SHARED, port, verbose=False)
    server.start()
    address = f"http://{network.SHARED}:{port}"
    names = {"aws_access_key_id": KEYS["key"], "aws_secret_access_key": KEYS["secret"]}
    boto3.client("s3", endpoint_url=address, region_name="us-east-1", **names).create_bucket(
        Bucket="site"
    )
    try:
        yield {
            "ERASURES_URL": "s3://site/erasures",
            "ERASURES_OPTIONS": json.dumps(KEYS | {"endpoint_url": address}),
        }
    finally:
        server.stop()


class _Drill:
    def __init__(self, stage: Stage, balancer: Balancer, beside: Balancer, report: Report) -> None:
        self.stage, self.balancer, self.beside, self.report = stage, balancer, beside, report
        self.machines = [cast("Machine", host) for host in stage.hosts]
        self.gone: list[Traveller] = []
        self.dead: Machine | None = None
        self.died = 0.0
        self.holding: list[subprocess.Popen[str]] = []

    def run(self) -> None:
        from tests.support.oauth import make_program

        make_program(PROGRAM, *SCOPES)
        self._see_nothing_of_each_other()
        with self._visitor().asking() as visitor, truth.life(self.stage):
            began = time.monotonic()
            self._travel("both hosts", LEAVING)
            self._open_transactions()
            stayed = self._travel("one dies", STAYING, kill=True)
            self._travel("one is left", LEAVING)
            self._bring_back()
            self._travel("both again", LEAVING)
            self._still_there(stayed)
        self.report.members += ["beside them, without a pause:", *visitor.lines(began)]
        self._count(visitor, began)
        truth.settle(self.stage, self.report, time.monotonic(), "all lists equal to Instagram's")
        self._check_erasures()
        self._search_for_residue()

    def _see_nothing_of_each_other(self) -> None:
        for machine, other in zip(self.machines, reversed(self.machines), strict=True):
            listed = machine.run("ls", str(self.stage.home)).stdout.split()
            self.report.must(listed == [machine.name], f"{machine.name} sees {listed}")
            ping = f"import socket; socket.create_connection(('{other.address}', {other.port}), 5)"
            reached = machine.run("python3", "-c", ping).returncode == 0
            self.report.must(reached, f"{machine.name} does not reach {other.name} by the network")
        self.report.notes.append("each host sees its own folder alone, and the other's network")

    def _visitor(self) -> Visitor:
        """Of the first linked account; as all others, through the balancer."""
        port = self.stage.options.port + 7
        direct = self.stage.visitor()
        first = self.stage.hosts[0].url
        site = f"http://{network.SHARED}:{port}"
        return Visitor(
            {
                what: address._replace(url=address.url.replace(first, site))
                for what, address in direct.addresses.items()
            }
        )

    def _browser(self) -> Browser:
        port = self.stage.options.port + 8
        return Browser(f"http://{network.SHARED}:{port}", [port], network.SHARED, PATIENCE_SECONDS)

    def _travel(self, when: str, journeys: tuple[str, ...], *, kill: bool = False) -> Traveller:
        traveller = Traveller(self._browser(), self.stage.sandbox)
        if kill:
            traveller.on_upload = self._kill
        for journey in journeys:
            words = journey.replace("_", " ")
            try:
                seen = getattr(traveller, journey)()
            except (Broken, OSError) as error:
                self.report.faults.append(f"{when}, {words}: {error}")
                break
            say(f"    {when}, {words}: {seen}")
        else:
            self.report.members.append(f"{when}: {len(journeys)} journeys, each to its end")
        if journeys is LEAVING:
            self.gone.append(traveller)
        else:
            self._stays(traveller)
        return traveller

    def _stays(self, traveller: Traveller) -> None:
        from accounts.models import LinkedAccount

        self.stage.accounts += LinkedAccount.objects.filter(username=traveller.name)

    def _kill(self, answer: Answer) -> None:
        """The host that has just taken an archive, as if its power and its cable were pulled."""
        if self.dead is not None:
            return
        self.dead = next(each for each in self.machines if each.name == answer.host)
        count = self.dead.lose_power()
        self.died = time.monotonic()
        self._end_transactions()
        say(f"    one dies: {self.dead.name}, with all {count} processes on it")
        threading.Thread(target=self._see_it_let_go, args=(self.dead,), daemon=True).start()

    def _open_transactions(self) -> None:
        """On each host one is in the middle, with a member's row locked: whichever host dies."""
        for machine, account in zip(self.machines, self.stage.accounts, strict=False):
            holding = machine.begin_to_run(sys.executable, "-c", HOLD, str(account.pk))
            self.holding.append(holding)
        for process in self.holding:
            assert process.stdout is not None
            self.report.must(process.stdout.readline() == "held\n", "no row could be locked")

    def _end_transactions(self) -> None:
        for process in self.holding:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.holding.clear()

    def _see_it_let_go(self, dead: Machine) -> None:
        """PostgreSQL heard no goodbye; it must find out by itself, and free what was locked."""
        from django.db import connection

        def connections() -> int:
            with connection.cursor() as cursor:
                cursor.execute(CONNECTIONS, [dead.address])
                return int(cursor.fetchone()[0])

        if until(lambda: connections() == 0, LET_GO_SECONDS) is not None:
            self.report.took["all that it had locked is free"] = time.monotonic() - self.died
        connection.close()

    def _bring_back(self) -> None:
        dead = self.dead
        if dead is None:
            self.report.faults.append("no host was killed")
            return
        self.report.must(
            until(lambda: "all that it had locked is free" in self.report.took, LET_GO_SECONDS)
            is not None,
            f"PostgreSQL keeps the connections and locks of {dead.name}",
        )
        self.report.notes.append(f"{dead.name} was away for {time.monotonic() - self.died:.0f} s")
        back = time.monotonic()
        dead.start("web")
        dead.start("queue")
        self.stage.wait_for(f"{dead.url}/readyz")
        before = self.beside.answered[dead.name]
        served = until(lambda: self.beside.answered[dead.name] > before, BACK_SECONDS)
        self.report.must(served is not None, f"{dead.name} was not asked again")
        self.report.took[f"{dead.name} serves members again"] = time.monotonic() - back
        if not self._works(dead):
            said = dead.log("queue").splitlines()[-5:]
            self.report.faults.append(f"the queue of {dead.name} finishes no task: {said}")
        self.report.took["its queue finishes tasks again"] = time.monotonic() - back

    def _works(self, machine: Machine) -> bool:
        from accounts import clock
        from accounts.models import SiteProcess

        since = clock.wall()
        found = SiteProcess.objects.filter(host=machine.name, worked_at__gt=since)
        return until(found.exists, WORK_SECONDS) is not None

    def _still_there(self, stayed: Traveller) -> None:
        """Who saw the host die has all that was asked of it then, from either host."""
        try:
            seen = stayed.fetch_the_copy_of_before()
        except Broken as error:
            self.report.faults.append(f"both again, the copy of before: {error}")
            return
        say(f"    both again, the copy of before: {seen}")

    def _count(self, visitor: Visitor, began: float) -> None:
        for who, balancer in (("travellers", self.balancer), ("beside them", self.beside)):
            by_host = ", ".join(f"{n} by {host}" for host, n in sorted(balancer.answered.items()))
            self.report.notes.append(
                f"{who} were answered {by_host}; {balancer.passed_on} requests were passed on to "
                f"the other host, {balancer.cut_off} cut off (502)"
            )
        bad = [seen for seen in visitor.answers if seen.began >= began and seen.status != 200]
        bad = [seen for seen in bad if seen.what != "readyz"]
        self.report.must(not bad, f"{len(bad)} requests were not answered with 200")

    def _check_erasures(self) -> None:
        """One list, the same from each host, and receipts that either host calls genuine."""
        manage = self.machines[0].manage
        said = {machine.run(*manage, "check_erasures").stdout for machine in self.machines}
        wanted = f"{2 * len(self.gone)} erasures in the list.\n"
        self.report.must(said == {wanted}, f"the list of erasures: {sorted(said)}")
        self.report.notes.append(f"each host says: {' / '.join(sorted(said)).strip()}")
        genuine = 0
        for machine in self.machines:
            for traveller in self.gone:
                path = machine.home / "receipt.json"
                path.write_text(traveller.receipt)
                salt = ("--salt", traveller.salt, "--subject", f"instagram:{traveller.number}")
                checked = machine.run(*manage, "verify_receipt", str(path), *salt)
                self.report.must(checked.returncode == 0, f"a receipt: {checked.stdout.strip()}")
                genuine += checked.returncode == 0
                path.unlink()
        self.report.notes.append(f"{genuine} checks of receipts, each genuine and its member's")

    def _search_for_residue(self) -> None:
        """By the site's own nightly search, and by a blunter one through rows, files and disks."""
        from django.test import override_settings

        from drills.backup_site import RESIDUE
        from tests.support.residue import hits

        # Rows are decoded in every way there is; Django warns of each that fails.
        logging.getLogger("django.security").setLevel(logging.ERROR)
        for machine in self.machines:
            parts = [f"residue: {part}" for part in RESIDUE]
            night = machine.run(*machine.manage, "nightly", *parts).stdout
            self.report.must(night.count(" 0 done") == len(parts), f"the night found: {night}")
            with override_settings(THREADSITE_HOME=machine.home):
                found = hits(word for traveller in self.gone for word in traveller.words)
            self.report.must(not found, f"residue, with the disk of {machine.name}: {found}")
            self.report.notes.append(f"residue, with the disk of {machine.name}: {len(found)}")
