"""The nightly look for what erasures left: by key, and by the words of those erased lately."""

from __future__ import annotations

from accounts.services.residue.judging import clear, open_findings
from accounts.services.residue.searching import search

__all__ = ["clear", "open_findings", "search"]
