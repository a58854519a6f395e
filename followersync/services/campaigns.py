"""The row of the account's open full scan, kept equal to the domain's state of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from followersync import store
from followersync.models import FullScan

if TYPE_CHECKING:
    from followersync.domain.sync import AccountState


def mirror(
    account_id: int, state: AccountState, now: datetime, *, finished: bool | None = None
) -> None:
    """Open the row with the campaign, and keep its figures.

    `finished`: it ends now, and whether it reached its end; None: it goes on.
    """
    campaign = state.campaign
    if campaign is None:
        return
    outcomes = {None: "", True: FullScan.Outcome.FINISHED, False: FullScan.Outcome.ABANDONED}
    store.mirror_scan(
        account_id,
        started_at=store.moment(campaign.started_at),
        why=campaign.why.value,
        pages=campaign.pages,
        people=campaign.people,
        closed_at=None if finished is None else now,
        outcome=str(outcomes[finished]),
        now=now,
    )
