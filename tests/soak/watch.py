"""What the site claimed while it ran: whom it doubted since when, which lists it called whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts import clock
from tests.soak.kinds import Listed

#: A list that is hidden in part from now on is found out at the next looks, not before.
NOTICED_AFTER = timedelta(hours=36)
#: Of the count, so much may be hidden from a whole list, and so many people in any case.
HIDDEN_SHARE, HIDDEN_PEOPLE = 0.05, 2


@dataclass
class Watch:
    """Looks at the site's own tables again and again."""

    #: (account, person): the moments since which they were unconfirmed, one for each doubt.
    doubts: dict[tuple[int, int], list[datetime]] = field(default_factory=dict)
    #: By account: the first moment at which a list was wrongly called whole.
    false_claims: dict[int, str] = field(default_factory=dict)

    def look(self, accounts: dict[int, Listed]) -> None:
        from followersync.models import Absence, SyncSettings

        now = clock.now()
        rows = Absence.objects.values_list("account_id", "key", "unconfirmed_since")
        for account_id, key, since in rows.iterator():
            known = self.doubts.setdefault((account_id, key), [])
            if since not in known:
                known.append(since)
        whole = SyncSettings.objects.filter(complete=True, account_id__in=accounts)
        for account_id, held, reported in whole.values_list("pk", "followers_count", "reported"):
            hidden = withheld(accounts[account_id], now)
            if hidden > max(HIDDEN_PEOPLE, HIDDEN_SHARE * (reported or held)):
                self.false_claims.setdefault(
                    account_id,
                    f"account {account_id} ({accounts[account_id].kind}): called whole with "
                    f"{hidden} hidden, {held} held, {reported} reported",
                )

    def doubted_since(self, account_id: int, key: int, lost_at: datetime) -> datetime | None:
        """When the looks began that led to this loss; None if no doubt was ever seen."""
        before = [at for at in self.doubts.get((account_id, key), []) if at <= lost_at]
        return max(before, default=None)


def withheld(account: Listed, now: datetime) -> int:
    """How many the list has hidden for so long that the site must have noticed."""
    return max(
        (
            count
            for since, until, count in account.hidden
            if since + NOTICED_AFTER <= now and (until is None or now <= until)
        ),
        default=0,
    )
