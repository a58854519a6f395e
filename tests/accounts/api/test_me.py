from __future__ import annotations

import pytest

from tests.support.api import API, counting_queries, program
from tests.support.factories import LinkedAccountFactory

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("bobs_account")
def test_me_is_the_member_in_whose_name_the_program_acts(alice, account):
    answer = program(alice, "accounts:read").get(f"{API}/me/").json()

    assert answer == {
        "id": alice.pk,
        "username": "alice",
        "language": "en",
        "time_zone": "UTC",
        "accounts": [
            {
                "id": account.pk,
                "instagram_id": account.instagram_id,
                "username": "alice.ig",
                "state": "active",
            }
        ],
    }


def test_many_accounts_cost_no_more_queries_than_one(alice, account):
    client = program(alice)
    with counting_queries() as one:
        client.get(f"{API}/me/")
    LinkedAccountFactory.create_batch(7, owner=alice)

    with counting_queries() as many:
        assert len(client.get(f"{API}/me/").json()["accounts"]) == 8

    assert len(many) == len(one)
