"""The row of the account's open full scan, kept equal to the domain's state of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import clock
from followersync import store
from followersync.models import FullScan

if TYPE_CHECKING:
    from followersync.domain.sync import AccountState


def mirror(account_id: int, state: AccountState) -> None:
    """Open the row with the campaign, and keep its figures; `close` ends it."""
    campaign = state.campaign
    if campaign is None:
        return
    started = store.moment(campaign.started_at)
    figures = {"pages": campaign.pages, "people": campaign.people}
    open_row = FullScan.objects.filter(account_id=account_id, closed_at__isnull=True)
    if open_row.filter(started_at=started).update(**figures):
        return
    close(account_id, finished=False)
    why = campaign.why.value if campaign.why else ""
    FullScan.objects.create(account_id=account_id, started_at=started, why=why, **figures)


def close(account_id: int, *, finished: bool) -> None:
    outcome = FullScan.Outcome.FINISHED if finished else FullScan.Outcome.ABANDONED
    FullScan.objects.filter(account_id=account_id, closed_at__isnull=True).update(
        closed_at=clock.now(), outcome=outcome
    )
