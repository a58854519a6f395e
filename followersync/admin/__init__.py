"""Admin of followersync: figures and evidence for staff, never a follower."""

from __future__ import annotations

from followersync.admin import accounts, records

__all__ = ["accounts", "records"]
