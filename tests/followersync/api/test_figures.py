"""Snapshots, growth and the digest over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.scopes import Scope
from followersync import store
from followersync.models import FollowerSnapshot, SyncSettings
from tests.support.api import API, counting_queries, problem, program
from tests.support.factories import consent
from tests.support.sync import write

pytestmark = pytest.mark.django_db


def at(account, what: str) -> str:
    return f"{API}/accounts/{account.pk}/{what}/"


def snap(account, moment, followers: int, **fields: object) -> FollowerSnapshot:
    return FollowerSnapshot.objects.create(
        account=account, at=moment, mode="full", position=0, followers=followers, **fields
    )


def test_snapshots_carry_their_evidence_newest_first(alices_program, followed, clock):
    snap(followed, clock(), 10, evidence={"pages": 1})
    snap(followed, clock.advance(hours=6), 12, gained=2)

    rows = alices_program.get(at(followed, "snapshots")).json()["results"]

    assert [(row["followers"], row["gained"]) for row in rows] == [(12, 2), (10, 0)]
    assert rows[1]["evidence"] == {"pages": 1}


def test_many_snapshots_cost_no_more_queries_than_one(alices_program, followed, clock):
    snap(followed, clock(), 1)
    with counting_queries() as one:
        alices_program.get(at(followed, "snapshots"))
    for _ in range(20):
        snap(followed, clock.advance(hours=6), 1)

    with counting_queries() as many:
        assert len(alices_program.get(at(followed, "snapshots")).json()["results"]) == 21

    assert len(many) == len(one)


def test_growth_has_a_point_a_day_oldest_first(alices_program, followed, clock):
    consent(followed, Scope.PROFILE)
    snap(followed, clock(), 10)
    snap(followed, clock.advance(days=1), 12, gained=2, reported=13)

    points = alices_program.get(at(followed, "growth"), {"to": clock().date()}).json()["results"]

    assert [(p["followers"], p["reported_followers"]) for p in points] == [(10, None), (12, 13)]


def test_growth_within_days(alices_program, followed, clock):
    first = clock().date()
    snap(followed, clock(), 10)
    snap(followed, clock.advance(days=2), 12)

    query = {"from": first, "to": first + timedelta(days=1)}

    points = alices_program.get(at(followed, "growth"), query).json()["results"]
    assert [point["followers"] for point in points] == [10]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"to": "2026-02-30"},
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"from": "1900-01-01", "to": "2026-01-01"},
        {"to": "9999-12-31"},
        {"since": "2026-01-01"},
    ],
)
def test_days_that_are_none(alices_program, followed, query):
    problem(alices_program.get(at(followed, "growth"), query), 422, "invalid")


def test_the_first_day_of_all_is_no_trap(alices_program, followed):
    assert alices_program.get(at(followed, "growth"), {"to": "0001-01-01"}).status_code == 200


def test_the_digest_is_that_of_the_rows(alices_program, followed):
    write(followed, people=[(1, "anna"), (2, "ben")])

    body = alices_program.get(at(followed, "digest")).json()

    settings = SyncSettings.objects.get(pk=followed.pk)
    assert (body["count"], body["value"]) == store.recount(followed.pk, bytes(settings.digest_key))
    assert body["key"] == bytes(settings.digest_key).hex()
    assert body["position"] == settings.head


@pytest.mark.parametrize("what", ["snapshots", "growth", "digest"])
def test_nobody_else_reads_them(bobs_program, anonymous, alice, followed, what):
    problem(bobs_program.get(at(followed, what)), 404, "not_found")
    problem(anonymous.get(at(followed, what)), 401, "not_authenticated")
    problem(program(alice, "accounts:read").get(at(followed, what)), 403, "scope_missing")
