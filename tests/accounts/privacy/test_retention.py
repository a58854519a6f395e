"""What is old goes by the very rules that the policy page states."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured

from accounts import registry
from accounts.checks import check_privacy
from accounts.models import DeletionRequest, ErasureEntry
from accounts.selectors.privacy import retention_rules
from accounts.services import erasure, suppression
from accounts.sessions import SessionStore
from tests.support import leaving
from tests.support.clock import Clock
from tests.support.retention import apply_retention

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home_of_this_test(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path


def test_the_rules_shown_are_the_ones_the_operator_set(settings):
    settings.RETENTION_DAYS = {"runs": 7}

    days = {rule.name: rule.days for rule in retention_rules()}

    assert (days["runs"], days["queue"]) == (7, 14)
    assert all(str(rule.label) and str(rule.basis) for rule in retention_rules())


@pytest.mark.parametrize("chosen", [{"rnus": 7}, {"runs": -1}, {"runs": "7"}])
def test_a_rule_that_cannot_be_is_named(settings, chosen):
    settings.RETENTION_DAYS = chosen

    with pytest.raises(ImproperlyConfigured, match="Known rules"):
        retention_rules()


def test_ended_queue_rows_go_after_their_time_and_not_before(clock: Clock):
    leaving.ended_task("followersync.tasks.advance_run", 1, "done")
    clock.advance(days=13)
    assert apply_retention()["queue"] == 0

    clock.advance(days=2)

    assert apply_retention()["queue"] == 1


def test_receipts_outlive_what_they_prove_by_three_years(clock: Clock):
    erasure.record_nothing_held(channel="instagram", callback_digest=None)
    clock.advance(days=1094)
    assert apply_retention()["deletions"] == 0

    clock.advance(days=2)

    assert apply_retention()["deletions"] == 1


def test_an_open_erasure_is_never_thinned_away(account, clock: Clock):
    erasure.request_account_erasure(account=account, channel="web")
    clock.advance(days=4000)

    apply_retention()

    assert DeletionRequest.objects.count() == 1


def test_names_in_ended_requests_go(stella, clock: Clock):
    request = suppression.request_privacy(
        kind="access", username="some.body", contact="a@b.example"
    )
    suppression.decide(request=request, staff=stella, grant=False, reason="Not shown to be theirs.")
    clock.advance(days=91)

    apply_retention()

    request.refresh_from_db()
    assert (request.username, request.contact) == ("", "")


def test_a_name_that_was_told_what_is_held_goes_although_nobody_closed_it(stella, clock: Clock):
    request = suppression.request_privacy(
        kind="access", username="some.body", contact="a@b.example"
    )
    suppression.decide(request=request, staff=stella, grant=True, reason="")
    clock.advance(days=91)

    apply_retention()

    request.refresh_from_db()
    assert (request.username, request.contact) == ("", "")


def test_an_erasure_that_was_granted_keeps_its_name_until_it_is_carried_out(stella, clock: Clock):
    request = suppression.request_privacy(
        kind="erasure", username="some.body", contact="a@b.example"
    )
    suppression.decide(request=request, staff=stella, grant=True, reason="")
    clock.advance(days=91)

    apply_retention()

    request.refresh_from_db()
    assert request.username == "some.body"


def test_address_and_browser_of_an_ended_session_go_with_it(alice, clock: Clock):
    ended, live = (SessionStore() for _ in range(2))
    for session in (ended, live):
        session.save()
        UserSession.objects.create(
            user=alice, session_key=session.session_key, ip="192.0.2.7", last_seen_at=clock()
        )
    Session.objects.filter(pk=ended.session_key).update(expire_date=clock())
    Session.objects.filter(pk=live.session_key).update(expire_date=clock() + timedelta(days=9))
    clock.advance(hours=2)

    apply_retention()

    assert [each.session_key for each in UserSession.objects.all()] == [live.session_key]


def test_the_list_of_erasures_goes_when_no_backup_can_be_older(clock: Clock):
    ErasureEntry.objects.create(kind="account", fingerprint="f", owner_fingerprint="o", at=clock())
    clock.advance(days=401)

    assert apply_retention()["erasure_list"] == 1


def test_what_other_apps_register_is_thinned_by_the_rule_of_its_name(settings, clock, monkeypatch):
    asked: list[datetime] = []

    def note(before: datetime, limit: int) -> int:
        asked.append(before)
        return 0

    monkeypatch.setitem(registry._retention_handlers, "runs", note)
    settings.RETENTION_DAYS = {"runs": 30}

    apply_retention()

    assert asked == [clock() - timedelta(days=30)]


def test_what_is_kept_as_long_as_the_link_is_left_alone(monkeypatch):
    def refuse(before: datetime, limit: int) -> int:
        raise AssertionError("nobody set a number of days")

    monkeypatch.setitem(registry._retention_handlers, "history", refuse)

    assert "history" not in apply_retention()


def test_one_night_stops_in_time_and_the_next_goes_on(monkeypatch):
    monkeypatch.setitem(registry._retention_handlers, "runs", lambda before, limit: 1)

    assert apply_retention(max_seconds=0.2)["runs"] > 0


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("RECEIPT_KEYS", ["too-short"], "accounts.E010"),
        ("RECEIPT_KEYS", [], "accounts.E010"),
        ("RETENTION_DAYS", {"rnus": 1}, "accounts.E011"),
    ],
)
def test_a_setting_that_would_fail_in_the_night_is_named_at_the_start(
    settings, setting, value, expected
):
    setattr(settings, setting, value)

    assert [error.id for error in check_privacy(None)] == [expected]
