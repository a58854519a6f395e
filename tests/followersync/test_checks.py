from __future__ import annotations

import pytest

from followersync import checks


def test_a_default_interval_that_no_member_could_set_stops_the_start(settings) -> None:
    settings.SYNC_INTERVAL_MINUTES_LOW = 60
    settings.SYNC_INTERVAL_MINUTES_DEFAULT = 30

    assert [message.id for message in checks.check_intervals(None)] == ["followersync.E001"]


@pytest.mark.parametrize("edge", ["followers/../me", "a b", "followers?x=1"])
def test_a_list_endpoint_that_would_change_the_address_stops_the_start(settings, edge) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = edge

    assert [message.id for message in checks.check_edge(None)] == ["followersync.E002"]


def test_the_settings_as_they_are_pass(settings) -> None:
    settings.INSTAGRAM_FOLLOWERS_EDGE = "followers"

    assert checks.check_edge(None) == checks.check_intervals(None) == []


def test_an_app_at_google_without_its_secret_stops_the_start(settings) -> None:
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = "id", ""

    assert [message.id for message in checks.check_drive(None)] == ["followersync.E003"]
