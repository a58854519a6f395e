"""Admin pages of accounts: read-only records, without tokens or followers' names."""

from __future__ import annotations

from accounts.admin import consents, members, privacy, programs, queue, signing_in, staff

__all__ = ["consents", "members", "privacy", "programs", "queue", "signing_in", "staff"]
