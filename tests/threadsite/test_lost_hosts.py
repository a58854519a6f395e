"""What a host that lost its power had locked is free soon; the drill `two-hosts` cuts one off."""

from __future__ import annotations

import pytest
from django.db import connection

from threadsite.database import PATIENCE

SOURCE = """
    SELECT name FROM pg_settings WHERE source = 'session' AND name LIKE 'tcp\\_%'
"""


@pytest.mark.django_db
def test_postgresql_itself_gives_up_a_host_that_said_no_goodbye() -> None:
    """Else a member's rows stay locked for two hours; over a socket of files it reads as 0."""
    with connection.cursor() as cursor:
        cursor.execute(SOURCE)
        told = {name for (name,) in cursor.fetchall()}

    assert told == {
        "tcp_keepalives_idle",
        "tcp_keepalives_interval",
        "tcp_keepalives_count",
        "tcp_user_timeout",
    }
    assert 0 < int(PATIENCE["tcp_user_timeout"]) <= 20_000
