"""Errors of followersync, one class for each reaction expected of the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.errors import Conflict, ThreadsiteError

if TYPE_CHECKING:
    from followersync.models import SyncRun


class SyncRunning(Conflict):
    """A run of this account is already open; `run` is that run."""

    def __init__(self, run: SyncRun) -> None:
        super().__init__(
            "sync_running",
            _("A sync of this account is under way already. Wait until it has finished."),
        )
        self.run = run


class FeedGone(ThreadsiteError):
    """The position is of another epoch, in the future, or past retention: list again."""

    code = "feed_gone"

    def __init__(self) -> None:
        super().__init__(
            "feed_gone",
            _(
                "This place in the change feed no longer exists. "
                "Fetch the follower list again and go on from its position."
            ),
        )


class LostClaim(Exception):
    """Another worker ended, cancelled or took over the run: drop uncommitted work and stop."""


class WrongDelivery(Exception):
    """An item pushed by a data-transfer tool has another shape, or is `too_large`."""

    def __init__(self, why: str, *, too_large: bool = False) -> None:
        super().__init__(why)
        self.too_large = too_large
