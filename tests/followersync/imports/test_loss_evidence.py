"""A loss that exports prove keeps which of them missed the person."""

from __future__ import annotations

from datetime import date

from django.test import Client
from django.urls import reverse

from accounts.models import LinkedAccount
from followersync.models import PastFollow
from followersync.selectors import changes_page
from followersync.selectors.loss_evidence import LossEvidence, loss_evidence
from tests.support.exports import Export

START = 1_700_000_000
DAY = 86_400
PEOPLE = {f"person.{n:02}": START + n * DAY for n in range(40)}
WITHOUT = {name: since for name, since in PEOPLE.items() if name != "person.20"}


def told(account: LinkedAccount) -> list[LossEvidence]:
    rows = changes_page(account, kind="lost", limit=50).rows
    return list(loss_evidence(account, rows).values())


def test_the_exports_that_missed_them_are_told(as_alice: Client, kept: LinkedAccount, bring):
    bring(kept, Export(PEOPLE, day=date(2026, 8, 1)))
    bring(kept, Export(WITHOUT, day=date(2026, 8, 3)))
    later = {**WITHOUT, "person.new": START + 60 * DAY}
    bring(kept, Export(later, day=date(2026, 8, 5)))

    assert PastFollow.objects.get(account_id=kept.pk).username == "person.20"
    (evidence,) = told(kept)
    assert evidence.proof == "export"
    assert [at.date() for at in evidence.looks] == [date(2026, 8, 3), date(2026, 8, 5)]
    page = as_alice.get(reverse("account-changes", args=[kept.pk])).content.decode()
    assert "The last of these looks was your export." in page


def test_whoever_followed_anew_had_left_before(kept: LinkedAccount, bring):
    bring(kept, Export(PEOPLE, day=date(2026, 8, 1)))
    bring(kept, Export(WITHOUT, day=date(2026, 8, 3)))
    anew = {**PEOPLE, "person.20": 1_785_800_000}
    bring(kept, Export(anew, day=date(2026, 8, 5)))

    (evidence,) = told(kept)

    assert evidence.proof == "followed_anew"
    assert [at.date() for at in evidence.looks] == [date(2026, 8, 3)]
