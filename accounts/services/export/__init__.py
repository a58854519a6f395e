"""Export of all data stored about a member (GDPR articles 15 and 20)."""

from __future__ import annotations

from accounts.services.export.files import erase_files, expire, files_of, open_file
from accounts.services.export.runner import advance, due, end_leases, request_export

__all__ = [
    "advance",
    "due",
    "end_leases",
    "erase_files",
    "expire",
    "files_of",
    "open_file",
    "request_export",
]
