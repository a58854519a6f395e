"""Every process that runs is known with its keys, so that a rotation can wait for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts import crypto
from accounts.models import SiteProcess
from accounts.selectors.processes import live_processes
from accounts.services import processes
from tests.support.clock import Clock
from threadsite.process_presence import Presence


@pytest.mark.django_db(transaction=True)
def test_a_web_process_is_known_while_it_runs_and_forgotten_when_it_ends(settings: Any) -> None:
    presence = Presence()
    presence.report()

    known = SiteProcess.objects.get(pk=presence.process)
    assert known.kind == "web"
    assert known.token_keys == [*map(crypto.fingerprint, settings.TOKEN_KEYS)]

    presence.begin()
    presence.end()

    assert not live_processes().exists()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_does_not_disturb_the_web_process() -> None:
    presence, address = Presence(), connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        presence.report()
    finally:
        connection.settings_dict["HOST"] = address

    presence.report()
    assert SiteProcess.objects.count() == 1


@pytest.mark.django_db
def test_a_killed_process_is_forgotten_after_a_while(clock: Clock) -> None:
    processes.report("0badf00d", SiteProcess.Kind.WEB)
    assert live_processes().exists()

    clock.advance(minutes=2)
    assert not live_processes().exists()
    clock.moment += timedelta(hours=1)
    processes.report("another1", SiteProcess.Kind.WEB)

    assert [each.pk for each in SiteProcess.objects.all()] == ["another1"]
