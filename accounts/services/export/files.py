"""Files of exports: found by member, opened until they expire, deleted."""

from __future__ import annotations

from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from accounts import clock, files
from accounts.errors import Conflict, Gone
from accounts.models import DataExport

State = DataExport.State


def files_of(owner_id: int) -> list[str]:
    """Every file of the member, unfinished ones too, with or without an export."""
    return files.names(files.Area.EXPORTS, owner_id=owner_id)


def erase_files(owner_id: int) -> int:
    """Delete the member's exports, files and rows; returns how many files.

    An export contains all of a member's accounts, so it is deleted when any of them is erased.
    """
    DataExport.objects.filter(owner_id=owner_id).delete()
    found = files_of(owner_id)
    files.discard(*found)
    return len(found)


def open_file(*, export: DataExport) -> tuple[BinaryIO, str]:
    """(file, download name). Raises Conflict while it is made, Gone when it has expired."""
    if export.state in DataExport.OPEN:
        raise Conflict("export_not_ready", _("Your copy is still being made. Please wait."))
    if export.state == State.FAILED:
        raise Conflict("export_failed", _("Your copy could not be made. Please ask for it again."))
    expired = Gone("export_expired", _("This copy has expired. Please ask for a new one."))
    if export.state != State.READY or export.expires_at is None or export.expires_at <= clock.now():
        raise expired
    made = export.created_at.date().isoformat()
    try:
        return files.opened(export.path), f"threadsite-export-{made}.zip"
    except FileNotFoundError:
        raise expired from None


def expire() -> int:
    """Delete expired files; returns how many exports ended."""
    over = DataExport.objects.filter(state=State.READY, expires_at__lte=clock.now())
    count = 0
    for export in over:
        files.discard(export.path)
        count += DataExport.objects.filter(pk=export.pk, state=State.READY).update(
            state=State.EXPIRED, path="", size=0
        )
    return count
