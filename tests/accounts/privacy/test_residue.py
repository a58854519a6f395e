"""The nightly look finds what an erasure left, and troubles nobody about the rest."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection

from accounts import clock
from accounts.models import ErasureNeedle, ResidueFinding, User
from accounts.services import erasure, residue
from followersync.models import Follower
from tests.support import leaving
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home_of_this_test(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path


@pytest.fixture
def erased() -> leaving.Canary:
    canary = leaving.canary(followers=3)
    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")
    while erasure.advance(deletion.pk):
        pass
    return canary


def test_a_clean_erasure_gives_staff_nothing_to_do(erased, alice: User, bob: User):
    assert residue.search() == 0


def test_a_name_left_in_any_column_is_brought_to_staff(erased, bob: User):
    User.objects.filter(pk=bob.pk).update(first_name=f"friend of {leaving.NAME}, says Bob")

    assert residue.search() == 1

    finding = ResidueFinding.objects.get()
    assert (finding.table, finding.column, finding.what) == (
        "accounts_user", "first_name", "username",
    )  # fmt: skip
    assert leaving.NAME not in f"{finding.row}{finding.column}"


def test_a_name_hidden_in_a_payload_is_found_too(erased):
    cache.set("late", {"mail": leaving.MAIL}, 600)
    leaving.ended_task("followersync.tasks.advance_run", 1, f"error about {leaving.INSTAGRAM_ID}")

    assert residue.search() == 2
    assert {f.table for f in ResidueFinding.objects.all()} == {"threadsite_cache", "django_q_task"}


def test_a_word_that_only_contains_the_name_is_no_hit(erased, bob: User):
    User.objects.filter(pk=bob.pk).update(first_name=f"x{leaving.NAME}x")

    assert residue.search() == 0


def test_the_same_row_is_brought_once(erased, bob: User, stella: User):
    User.objects.filter(pk=bob.pk).update(first_name=leaving.NAME)
    residue.search()

    assert residue.search() == 0
    ResidueFinding.objects.update(cleared_at=clock.now(), cleared_by=stella)
    assert residue.search() == 0


def test_other_members_lists_may_hold_whom_they_list(erased, account):
    Follower.objects.create(account_id=account.pk, key=1, place=1, username=leaving.NAME)

    assert residue.search() == 0


def test_rows_whose_owner_is_gone_are_found_by_key(erased, account):
    Follower.objects.create(account_id=account.pk, key=1, place=1, username="fine")
    Follower.objects.create(account_id=999_999, key=1, place=1, username="left.behind")

    residue.search()

    finding = ResidueFinding.objects.get()
    assert (finding.table, finding.row, finding.what) == (
        "followersync_follower", "account_id=999999", "orphan",
    )  # fmt: skip


def test_the_needles_themselves_name_nobody_and_go_after_a_month(erased, clock: Clock):
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_erasureneedle t")
        text = str(cursor.fetchall())
    assert not [word for word in erased.words if word in text]
    assert ErasureNeedle.objects.exists()

    clock.advance(days=31)
    residue.search()

    assert not ErasureNeedle.objects.exists()
