"""What the site claimed while it ran: whom it doubted since when, which lists it called whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts import clock
from tests.soak.kinds import Listed

#: A list that is hidden in part from now on is found out at the next looks, not before.
NOTICED_AFTER = timedelta(hours=24)
#: Of the count, so much may be hidden from a whole list, and so many people in any case.
HIDDEN_SHARE, HIDDEN_PEOPLE = 0.05, 2


@dataclass
class Watch:
    """Looks at the site's own tables again and again."""

    #: (account, person): the moments since which they were unconfirmed, one for each doubt.
    doubts: dict[tuple[int, int], list[datetime]] = field(default_factory=dict)
    #: By account: the first moment at which a list was wrongly called whole.
    false_claims: dict[int, str] = field(default_factory=dict)
    #: By account: since when too many are hidden from it for it to be whole.
    _hidden_since: dict[int, datetime] = field(default_factory=dict)

    def look(self, accounts: dict[int, Listed], shown: dict[str, int]) -> None:
        """`shown`: by Instagram's id, how many a perfect lister would show now."""
        from followersync.models import Absence, SyncSettings

        now = clock.now()
        rows = Absence.objects.values_list("account_id", "key", "unconfirmed_since")
        for account_id, key, since in rows.iterator():
            known = self.doubts.setdefault((account_id, key), [])
            if since not in known:
                known.append(since)
        claimed = set(SyncSettings.objects.filter(complete=True).values_list("pk", flat=True))
        for account in accounts.values():
            self.note_claim(account, account.id in claimed, shown[account.instagram_id], now)

    def note_claim(self, account: Listed, claimed: bool, shown: int, now: datetime) -> None:
        """Is it called whole, though it has hidden too many for longer than two looks take?"""
        hidden = account.spell.hidden(shown)
        if hidden <= max(HIDDEN_PEOPLE, HIDDEN_SHARE * shown):
            self._hidden_since.pop(account.id, None)
            return
        since = self._hidden_since.setdefault(account.id, now)
        if claimed and now - since > NOTICED_AFTER:
            self.false_claims.setdefault(
                account.id,
                f"account {account.id} ({account.kind}): called whole {now:%d %H:%M}, with "
                f"{hidden} of {shown} hidden since {since:%d %H:%M}",
            )

    def doubted_since(self, account_id: int, key: int, lost_at: datetime) -> datetime | None:
        """When the looks began that led to this loss; None if no doubt was ever seen."""
        before = [at for at in self.doubts.get((account_id, key), []) if at <= lost_at]
        return max(before, default=None)
