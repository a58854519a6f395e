"""The staff's view of members and links. Records are read-only; tokens and names never show."""

from __future__ import annotations

from accounts.admin import consents, members, privacy, programs, queue, signing_in, staff

__all__ = ["consents", "members", "privacy", "programs", "queue", "signing_in", "staff"]
