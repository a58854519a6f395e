"""Where export files lie, and how they go."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.errors import Conflict, Gone
from accounts.models import DataExport

State = DataExport.State


def folder() -> Path:
    """Readable by the site's own user alone."""
    path = Path(settings.THREADSITE_HOME) / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def new_name(export: DataExport) -> str:
    """Begins with the member, so that their files are found without a row; ends unguessably."""
    return f"m{export.owner_id}-{export.pk}-{secrets.token_hex(16)}.zip"


def files_of(owner_id: int) -> list[Path]:
    """Every file of the member, half-made ones too, whether or not a row knows of it."""
    return sorted(folder().glob(f"m{owner_id}-*"))


def erase_files(owner_id: int) -> int:
    """Delete the member's exports, files and rows; returns how many files.

    A copy holds all of a member's accounts, so it goes when any of them is erased.
    """
    DataExport.objects.filter(owner_id=owner_id).delete()
    found = files_of(owner_id)
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def open_file(*, export: DataExport) -> tuple[BinaryIO, str]:
    """(file, name to save it under). Raises Conflict while it is made, Gone when it has expired."""
    if export.state in DataExport.OPEN:
        raise Conflict("export_not_ready", _("Your copy is still being made. Please wait."))
    if export.state == State.FAILED:
        raise Conflict("export_failed", _("Your copy could not be made. Please ask for it again."))
    path = folder() / export.path
    if (
        export.state != State.READY
        or export.expires_at is None
        or export.expires_at <= clock.now()
        or not path.is_file()
    ):
        raise Gone("export_expired", _("This copy has expired. Please ask for a new one."))
    made = export.created_at.date().isoformat()
    return path.open("rb"), f"threadsite-export-{made}.zip"


def expire() -> int:
    """Delete the files whose time is over; returns how many exports ended."""
    over = DataExport.objects.filter(state=State.READY, expires_at__lte=clock.now())
    count = 0
    for export in over:
        (folder() / export.path).unlink(missing_ok=True)
        count += DataExport.objects.filter(pk=export.pk, state=State.READY).update(
            state=State.EXPIRED, path="", size=0
        )
    return count
