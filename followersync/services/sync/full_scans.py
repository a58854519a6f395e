"""Row of the account's open full scan, kept equal to the domain's state of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from followersync import store
from followersync.models import FullScan

if TYPE_CHECKING:
    from followersync.domain.engine import AccountState


def mirror(
    account_id: int, state: AccountState, now: datetime, *, finished: bool | None = None
) -> None:
    """Open the row with the full scan, and update its figures.

    `finished`: it ends now, and whether it reached its end; None: it continues.
    """
    full_scan = state.full_scan
    if full_scan is None:
        return
    outcomes = {None: "", True: FullScan.Outcome.FINISHED, False: FullScan.Outcome.ABANDONED}
    store.mirror_scan(
        account_id,
        started_at=store.moment(full_scan.started_at),
        why=full_scan.why.value,
        pages=full_scan.pages,
        people=full_scan.people,
        closed_at=None if finished is None else now,
        outcome=str(outcomes[finished]),
        now=now,
    )
