"""Loss evidence for a page of the feed: the looks that missed a person, and their neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from followersync import store
from followersync.domain.values import Proof
from followersync.models import ChangeKind, PastFollow
from followersync.selectors.followers import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.models import LinkedAccount
    from followersync.selectors.answers import ChangeRow


SIDES = ("above", "below")


@dataclass(frozen=True, slots=True)
class LossEvidence:
    """`looks`: when the looks that count missed them. `above`, `below`: the names of the neighbours
    who were shown, empty where unknown."""

    proof: Proof
    looks: list[datetime]
    above: str
    below: str


def loss_evidence(account: LinkedAccount, rows: Sequence[ChangeRow]) -> dict[int, LossEvidence]:
    """The evidence by position in the feed; none for a loss that no look proved."""
    lost = {
        (key, row.at): row.position
        for row in rows
        if row.kind == ChangeKind.LOST and (key := key_of(row.public_id)) is not None
    }
    if not lost:
        return {}
    ended = PastFollow.objects.filter(
        account_id=account.pk,
        # By key, since thousands may have been lost at one moment.
        key__in={key for key, _ in lost},
        valid_to__in={at for _, at in lost},
        evidence__isnull=False,
    )
    found = [past for past in ended if (past.key, past.valid_to) in lost]
    places = {
        place for past in found for side in SIDES if (place := past.evidence[side]) is not None
    }
    people = store.people_at(account.pk, places)
    return {lost[past.key, past.valid_to]: _evidence(past, people) for past in found}


def _evidence(past: PastFollow, people: dict[int, tuple[str, datetime | None]]) -> LossEvidence:
    above, below = (_name(past, people.get(past.evidence[side])) for side in SIDES)
    return LossEvidence(
        proof=Proof(past.evidence["proof"]),
        looks=[store.moment(at) for at in past.evidence["looks"]],
        above=above,
        below=below,
    )


def _name(past: PastFollow, person: tuple[str, datetime | None] | None) -> str:
    """The name of the person at the place, unless they came later than the loss."""
    if person is None:
        return ""
    name, first_seen = person
    return name if first_seen is None or first_seen < past.valid_to else ""
