"""What proved the losses on a page of the feed: the looks, and who stood on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from followersync import store
from followersync.domain.values import Proof
from followersync.models import ChangeKind, PastFollow, public_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.models import LinkedAccount
    from followersync.selectors.values import ChangeRow


@dataclass(frozen=True, slots=True)
class LossEvidence:
    """`looks`: when the looks that count missed them. `above`, `below`: the names of who stood next
    to them and was shown, empty where that is not known (any more)."""

    proof: Proof
    looks: list[datetime]
    above: str
    below: str


def loss_evidence(account: LinkedAccount, rows: Sequence[ChangeRow]) -> dict[int, LossEvidence]:
    """The evidence by position in the feed; nothing for a loss that no look proved."""
    lost = {(row.public_id, row.at): row.position for row in rows if row.kind == ChangeKind.LOST}
    if not lost:
        return {}
    ended = PastFollow.objects.filter(
        account_id=account.pk, valid_to__in={at for _, at in lost}, evidence__isnull=False
    )
    found = {
        lost[public_id(past.key), past.valid_to]: past.evidence
        for past in ended
        if (public_id(past.key), past.valid_to) in lost
    }
    places = {one[side] for one in found.values() for side in ("above", "below") if one.get(side)}
    names = store.names_at(account.pk, places)
    return {
        position: LossEvidence(
            proof=Proof(one["proof"]),
            looks=[store.moment(at) for at in one["looks"]],
            above=names.get(one.get("above"), ""),
            below=names.get(one.get("below"), ""),
        )
        for position, one in found.items()
    }
