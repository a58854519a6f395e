"""Loss evidence: what proved each loss, stored with the interval that it ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection
from psycopg.types.json import Jsonb

from followersync.domain.values import Lost
from followersync.models.follower import BLOCK_BITS

_NEXT = (
    "(SELECT {nearest}(f.place) FROM followersync_follower f"  # noqa: S608
    " WHERE f.account_id = %(account)s AND f.place {side} l.place"
    f" AND f.place >> {BLOCK_BITS} IN"
    f"  (l.place >> {BLOCK_BITS}, (l.place >> {BLOCK_BITS}) {{step}} 1)"
    " AND NOT EXISTS (SELECT FROM followersync_absence a"
    "  WHERE a.account_id = f.account_id AND a.key = f.key))"
)
_ABOVE = _NEXT.format(nearest="min", side=">", step="+")
_BELOW = _NEXT.format(nearest="max", side="<", step="-")
_KEEP = (
    "WITH lost AS (SELECT * FROM unnest(%(keys)s::bigint[], %(places)s::bigint[],"  # noqa: S608
    " %(proofs)s::jsonb[]) AS l(key, place, proof))"
    " UPDATE followersync_pastfollow p"
    f" SET evidence = l.proof || jsonb_build_object('above', {_ABOVE}, 'below', {_BELOW})"
    " FROM lost l WHERE p.account_id = %(account)s AND p.key = l.key AND p.valid_to ="
    " (SELECT max(n.valid_to) FROM followersync_pastfollow n"
    "  WHERE n.account_id = p.account_id AND n.key = p.key)"
)


def keep_loss_evidence(account_id: int, lost: Sequence[Lost]) -> None:
    """Store the looks that missed them, and the places of their neighbours who were shown.

    Call it in the transaction that closes the intervals, after that.
    """
    if not lost:
        return
    proofs = [
        {"proof": each.proof.value, "since": each.absence.since, "looks": list(each.absence.at)}
        for each in lost
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            {
                "account": account_id,
                "keys": [each.key for each in lost],
                "places": [each.place for each in lost],
                "proofs": [Jsonb(each) for each in proofs],
            },
        )


def people_at(account_id: int, places: Collection[int]) -> dict[int, tuple[str, datetime | None]]:
    """The people at these places now, by place: the name, and when they were first seen."""
    if not places:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place, username, first_seen_at FROM followersync_follower"  # noqa: S608
            f" WHERE account_id = %s AND place >> {BLOCK_BITS} = ANY(%s::bigint[])"
            " AND place = ANY(%s::bigint[])",
            [account_id, list({place >> BLOCK_BITS for place in places}), list(places)],
        )
        return {place: (name, first_seen) for place, name, first_seen in cursor.fetchall()}
