"""Each fault does what it is named for; one that does nothing would prove the engine falsely."""

from __future__ import annotations

import time

import pytest

from accounts import errors
from accounts.instagram.gateway import Gateway
from tests.support.sandbox import Sandbox


def _scan(gateway: Gateway, token: str, account_id: str, limit: int = 100) -> list[str]:
    """The ids of all pages, in the order in which they came."""
    rows: list[str] = []
    after: str | None = None
    while True:
        page = gateway.followers(token, account_id, "followers", limit, after)
        rows += [str(each) for each, _username in page.rows]
        after = page.after
        if after is None:
            return rows


def _true(sandbox: Sandbox, account_id: str) -> list[str]:
    return [each["id"] for each in sandbox.true_list(account_id)]


def test_a_cut_list_ends_early_and_stays_cut_for_some_scans(sandbox, gateway, link):
    account_id, token = link("bob")
    true = _true(sandbox, account_id)
    sandbox.faults(cut_list=1)

    scans = [_scan(gateway, token, account_id) for _scan_number in range(30)]
    sandbox.faults()

    assert all(150 <= len(scan) < 300 and scan == true[: len(scan)] for scan in scans)
    lengths = [len(scan) for scan in scans]
    assert 1 < len(set(lengths)) < 30
    assert _scan(gateway, token, account_id) == true


def test_a_list_can_be_cut_in_the_middle_of_one_scan(sandbox, gateway, link):
    account_id, token = link("bob")
    sandbox.script([{}, {}, {"fault": "cut_list"}], account=account_id, route="followers")

    cut, whole = _scan(gateway, token, account_id), _scan(gateway, token, account_id)

    assert 150 <= len(cut) < 300
    assert len(whole) == 300


def test_an_empty_page_comes_with_a_next_and_without(sandbox, gateway, link):
    account_id, token = link("bob")
    sandbox.faults(empty_page=1)

    pages = [gateway.followers(token, account_id, "followers", 100, None) for _ in range(20)]

    assert all(page.rows == [] for page in pages)
    assert {page.after is None for page in pages} == {True, False}


def test_duplicate_rows_repeat_people_and_withhold_nobody(sandbox, gateway, link):
    account_id, token = link("bob")
    sandbox.faults(duplicate_rows=1)

    rows = _scan(gateway, token, account_id)

    assert len(rows) > 300
    assert list(dict.fromkeys(sorted(rows))) == sorted(_true(sandbox, account_id))


def test_reordered_rows_shuffle_a_page_and_withhold_nobody(sandbox, gateway, link):
    account_id, token = link("bob")
    true = _true(sandbox, account_id)
    sandbox.faults(reordered_rows=1)

    rows = _scan(gateway, token, account_id)

    assert rows != true
    assert sorted(rows) == sorted(true)


def test_a_moving_cursor_skips_people_when_others_leave_above_them(sandbox, gateway, link):
    account_id, token = link("bob")
    true = _true(sandbox, account_id)
    sandbox.faults(moving_cursor=1)
    first = gateway.followers(token, account_id, "followers", 100, None)
    sandbox.change(account_id, leave=true[:2])

    second = gateway.followers(token, account_id, "followers", 100, first.after)

    assert str(second.rows[0][0]) == true[102]


def test_the_true_cursor_skips_nobody_whatever_happens_above(sandbox, gateway, link):
    account_id, token = link("bob")
    true = _true(sandbox, account_id)
    first = gateway.followers(token, account_id, "followers", 100, None)
    sandbox.change(account_id, leave=[*true[:2], true[99]], follow=3)

    second = gateway.followers(token, account_id, "followers", 100, first.after)

    assert str(second.rows[0][0]) == true[100]


def test_somebody_can_leave_and_follow_again_in_the_middle_of_a_scan(sandbox, gateway, link):
    account_id, token = link("bob")
    true = _true(sandbox, account_id)
    wanderer = true[250]
    sandbox.script(
        [{}, {"change": {"leave": [wanderer]}}, {"change": {"return": [wanderer]}}],
        account=account_id,
        route="followers",
    )

    rows = _scan(gateway, token, account_id)

    assert wanderer not in rows
    assert _true(sandbox, account_id)[0] == wanderer


def test_count_drift_moves_the_count_and_not_the_list(sandbox, gateway, link):
    account_id, token = link("ada")
    sandbox.faults(count_drift=1)

    counts = {gateway.follower_count(token).followers for _call in range(10)}

    assert len(counts) > 5
    assert len(_true(sandbox, account_id)) == 1200


def test_a_slow_answer_is_late_and_keeps_no_other_caller_waiting(sandbox, gateway, link):
    account_id, token = link("cleo")
    sandbox.script([{"fault": "slow"}], account=account_id, route="me")
    began = time.monotonic()

    gateway.me(token)

    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize(
    ("fault", "reaction"),
    [
        ("truncated_json", errors.RetryLater),
        ("http_500", errors.RetryLater),
        ("service_error", errors.RetryLater),
        ("dropped", errors.RetryLater),
        ("rate_limited", errors.WaitUntil),
        ("expired_token", errors.NeedsReconnect),
        ("wrong_shape", errors.WrongShape),
    ],
)
def test_a_fault_strikes_with_its_probability_and_passes(sandbox, gateway, link, fault, reaction):
    account_id, token = link("cleo")
    sandbox.faults(**{fault: 0.5})
    struck = 0
    for _call in range(40):
        try:
            gateway.followers(token, account_id, "followers", 1000, None)
        except reaction:
            struck += 1

    sandbox.faults()

    assert 8 <= struck <= 32
    assert len(gateway.followers(token, account_id, "followers", 1000, None).rows) == 30


def test_why_a_token_ended_is_told_by_its_subcode(sandbox, gateway, link):
    account_id, token = link("cleo")
    sandbox.revoke(account_id, "docs_190_460")

    with pytest.raises(errors.NeedsReconnect) as refused:
        gateway.me(token)

    assert refused.value.reason == "password_changed"
