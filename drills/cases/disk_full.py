"""The disk of a host's folder is full for some seconds (--seconds, 20), while a member uploads."""

from __future__ import annotations

import os
import time

from drills.course import endure
from drills.disk import SmallDisk
from drills.member import Address, until
from drills.report import Report
from drills.stage import Options, Stage, running_site

OWNER = "drill.archive"
FOLLOWERS = 2000
IMPORT_SECONDS = 60.0


def run(options: Options) -> Report:
    """Uploads are refused with a message or stored completely; everything else continues."""
    seconds = options.seconds or 20.0
    report = Report(f"the disk of the files, logs and scratch full for {seconds:.0f} s")
    if os.geteuid() != 0:
        report.notes.append("nothing was done: only root may mount a disk")
        return report
    disk = SmallDisk()
    with running_site(options, disk=disk) as stage:
        visitor, upload = stage.visitor(), _upload(stage)
        visitor.addresses["upload"] = upload

        def fill() -> None:
            disk.fill()
            time.sleep(seconds)
            disk.empty()

        endure(stage, report, fill, visitor=visitor)
        report.must("503" in report.outcomes["upload"], "no upload met the full disk")
        report.must("202" in report.outcomes["upload"], "no upload was taken afterwards")
        whole = until(_imported, IMPORT_SECONDS)
        report.must(whole is not None, "what was uploaded was not imported")
    return report


def _upload(stage: Stage) -> Address:
    """An archive sent by a member whose account is kept by archives, as a program sends it."""
    from accounts.models import User
    from accounts.scopes import Scope
    from accounts.services import linking, programs
    from tests.support.exports import Export, population
    from tests.support.factories import consent

    owner = User.objects.create_user("uploads")
    account = linking.link_by_archive(owner=owner, username=OWNER)
    consent(account, Scope.FOLLOWERS)
    export = Export(population(FOLLOWERS), owner=OWNER)
    token = programs.issue_token(user=owner, scopes=["followers:write"], days=1)
    mark = "drill-" * 5
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="archive"; filename="{export.name}"'
        "\r\nContent-Type: application/zip\r\n\r\n"
    ).encode()
    body += export.zip() + f"\r\n--{mark}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={mark}",
    }
    url = f"{stage.hosts[0].url}/api/v1/accounts/{account.pk}/imports/"
    return Address(url, headers, body)


def _imported() -> bool:
    from accounts.models import LinkedAccount
    from followersync.models import Follower

    account = LinkedAccount.objects.get(username=OWNER)
    return Follower.objects.filter(account_id=account.pk).count() == FOLLOWERS
