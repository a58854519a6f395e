"""Comparing an archive with the list: a name that is repeated counts once, with its newest date."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from followersync.models import Follower
from followersync.store import archive_compare

ACCOUNT = 7
SECOND = 1_500_000_000


@pytest.mark.django_db
def test_repeated_names_are_compared_by_their_newest_second() -> None:
    for key, name, second in (
        (-9, "same", 5),
        (-8, "older", 5),
        (-7, "gone", 5),
        (-6, "undated", None),
    ):
        since = None if second is None else datetime.fromtimestamp(SECOND + second, UTC)
        Follower.objects.create(account_id=ACCOUNT, key=key, place=0, since=since, username=name)
    lines = [
        ("same", 1), ("same", 5), ("same", None),
        ("older", 9), ("older", 5), ("older", 7),
        ("new", 2), ("new", 3), ("new", None),
        ("undated", None), ("undated", None),
    ]  # fmt: skip
    spool = "".join(f"{n}\t{'' if s is None else SECOND + s}\n" for n, s in lines).encode()

    with transaction.atomic(), connection.cursor() as cursor:
        archive_compare.stage(io.BytesIO(spool))
        staged = archive_compare.compare(ACCOUNT, SECOND + 1)
        cursor.execute("SELECT key, username, second, listed FROM delta ORDER BY username")
        differing = cursor.fetchall()

    assert differing == [
        (-7, "gone", None, False),
        (None, "new", SECOND + 3, True),
        (-8, "older", SECOND + 9, True),
    ]
    figures = (staged.listed, staged.stored, staged.newcomers, staged.undated_newcomers)
    assert figures == (4, 4, 1, 0)
