"""Somebody who is no member can have their name dropped and kept out, and only they can."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import registry
from accounts.errors import Conflict, InvalidInput
from accounts.models import PrivacyRequest, SuppressedPerson, User
from accounts.registry import Person
from accounts.selectors.duties import duties
from accounts.services import suppression
from followersync.models import Follower, FollowerChange
from tests.support import residue
from tests.support.clock import Clock
from tests.support.factories import LinkedAccountFactory

pytestmark = pytest.mark.django_db
NAME = "axolotl.unheard"


@pytest.fixture
def lists(monkeypatch) -> dict[str, int]:
    """Some other app's rows about people: how many are left of each name."""
    rows = {NAME: 12, "stays": 3}

    def erase(person: Person, limit: int) -> int:
        left = rows.get(person.username or "", 0)
        dropped = min(left, 5)
        rows[person.username or ""] = left - dropped
        return dropped

    def find(person: Person) -> Iterator[dict[str, Any]]:
        yield {"rows": rows.get(person.username or "", 0)}

    monkeypatch.setitem(registry._person_erasers, "test rows", erase)
    monkeypatch.setitem(registry._person_finders, "test rows", find)
    return rows


def asked(kind: str = "erasure") -> PrivacyRequest:
    return suppression.request_privacy(
        kind=kind, username=f" @{NAME.upper()} ", contact="axolotl@unheard.example"
    )


def test_a_granted_request_drops_the_name_and_keeps_it_out(stella: User, lists):
    request = asked()

    suppression.decide(request=request, staff=stella, grant=True, reason="")
    assert suppression.suppressed([], [NAME, "Stays"]) == {NAME}
    while suppression.advance(request.pk):
        pass

    request.refresh_from_db()
    assert lists == {NAME: 0, "stays": 3}
    assert (request.state, request.removed) == ("completed", {"test rows": 12})


def test_nothing_is_suppressed_before_staff_have_decided(lists):
    request = asked()

    assert suppression.suppressed([], [NAME]) == set()
    assert not suppression.advance(request.pk)
    assert lists[NAME] == 12


def test_a_refusal_needs_a_reason_and_suppresses_nobody(stella: User):
    request = asked()

    with pytest.raises(InvalidInput):
        suppression.decide(request=request, staff=stella, grant=False, reason=" ")
    suppression.decide(request=request, staff=stella, grant=False, reason="Not shown to be yours.")

    assert not SuppressedPerson.objects.exists()


def test_a_request_is_decided_once(stella: User):
    request = asked()
    suppression.decide(request=request, staff=stella, grant=True, reason="")

    with pytest.raises(Conflict):
        suppression.decide(request=request, staff=stella, grant=False, reason="Second thoughts.")


def test_who_signed_in_with_instagram_waits_for_nobody(lists):
    request = suppression.suppress_proven(instagram_id="17799", username=NAME, language="de")
    while suppression.advance(request.pk):
        pass

    assert suppression.suppressed([17799], [NAME]) == {17799, NAME}
    assert lists[NAME] == 0
    assert residue.hits([NAME, "17799"]) == []


def test_access_is_answered_and_drops_nothing(stella: User, lists):
    request = asked("access")
    suppression.decide(request=request, staff=stella, grant=True, reason="Seen.")

    assert list(suppression.stored_about(request)) == [{"kind": "test rows", "rows": 12}]
    assert not SuppressedPerson.objects.exists()


def test_a_closed_request_has_forgotten_the_name_and_the_list_holds_hashes(stella: User, lists):
    request = asked()
    suppression.decide(request=request, staff=stella, grant=True, reason="")
    while suppression.advance(request.pk):
        pass

    suppression.close(request=request)

    assert residue.hits([NAME, "axolotl"]) == []
    assert suppression.suppressed([], [NAME]) == {NAME}


def test_a_request_whose_rows_still_go_cannot_be_closed(stella: User, lists):
    request = asked()
    suppression.decide(request=request, staff=stella, grant=True, reason="")

    with pytest.raises(Conflict):
        suppression.close(request=request)


def test_a_late_answer_shows(clock: Clock):
    asked()
    assert duties().requests_late == 0

    clock.advance(days=29)

    assert duties().requests_late == 1


@pytest.mark.parametrize(
    "given", ["axolotl.unheard", "@Axolotl.Unheard", "https://www.instagram.com/axolotl.unheard/"]
)
def test_a_name_is_understood_however_it_is_written(given):
    assert suppression.clean_name(given) == NAME


@pytest.mark.parametrize("given", ["", "@", "two words", "näme", "a" * 65, "<script>"])
def test_what_is_no_name_is_refused(given):
    with pytest.raises(InvalidInput):
        suppression.clean_name(given)


def test_an_empty_list_costs_the_engine_one_query():
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert suppression.suppressed(range(10_000), map(str, range(10_000))) == set()

    assert len(queries) == 1


def test_a_key_of_its_own_makes_the_hashes_useless_elsewhere(stella: User, settings):
    suppression.decide(request=asked(), staff=stella, grant=True, reason="")

    settings.SUPPRESSION_KEY = "another site's"

    assert suppression.suppressed([], [NAME]) == set()


def test_a_member_keeps_their_proven_name_out_by_one_press(as_alice, account):
    page = as_alice.get("/privacy/").content.decode()
    assert f"/privacy/keep-out/{account.pk}/" in page

    as_alice.post(f"/privacy/keep-out/{account.pk}/")

    assert account.username in suppression.suppressed([], [account.username])


def test_who_proved_their_name_sees_at_once_what_others_hold(as_alice, account, bob, clock):
    """Article 15, without a member of staff: the kinds and times, never whose lists."""
    theirs = LinkedAccountFactory(owner=bob, username="bobs.list")
    number = int(account.instagram_id)
    FollowerChange.objects.create(
        account_id=theirs.pk, position=1, key=number, at=clock(), kind="gained",
        username=account.username,
    )  # fmt: skip
    Follower.objects.create(account_id=theirs.pk, key=number, place=1, username=account.username)

    text = as_alice.post(f"/privacy/held/{account.pk}/").content.decode()

    assert f"About @{account.username}, other members' lists hold 2 entries" in unescape(text)
    assert "bobs.list" not in text


def test_nobody_sees_what_is_held_about_another(as_alice, bob, alice):
    theirs = LinkedAccountFactory(owner=bob)
    claimed = LinkedAccountFactory(owner=alice, kind="archive", username="a.celebrity")

    assert as_alice.post(f"/privacy/held/{theirs.pk}/").status_code == 404
    assert as_alice.post(f"/privacy/held/{claimed.pk}/").status_code == 302


def test_a_visitor_is_told_that_signing_in_proves_the_name(client, db):
    assert "next=/privacy/%23request" in client.get("/privacy/").content.decode()


def test_nobody_presses_for_another(as_alice, bob):
    theirs = LinkedAccountFactory(owner=bob)

    assert as_alice.post(f"/privacy/keep-out/{theirs.pk}/").status_code == 404
    assert not SuppressedPerson.objects.exists()


def test_an_archive_proves_no_name(alice):
    claimed = LinkedAccountFactory(owner=alice, kind="archive", username="somebody.famous")

    with pytest.raises(Conflict):
        suppression.keep_out(account=claimed, language="en")
