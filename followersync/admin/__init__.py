"""The staff's view of syncs. Figures and evidence; never a follower."""

from __future__ import annotations

from followersync.admin import accounts, records

__all__ = ["accounts", "records"]
