"""`/accounts/` over the API."""

from __future__ import annotations

import pytest

from accounts.models import DeletionRequest, LinkedAccount
from followersync.services.sync.settings import settings_of
from tests.support.api import API, counting_queries, problem, program
from tests.support.factories import LinkedAccountFactory
from tests.support.sync import write

ACCOUNTS = f"{API}/accounts/"

pytestmark = pytest.mark.django_db


def at(account: LinkedAccount) -> str:
    return f"{ACCOUNTS}{account.pk}/"


def test_an_account_before_its_first_sync_has_no_figures(alices_program, account):
    assert alices_program.get(at(account)).json() == {
        "id": account.pk,
        "instagram_id": account.instagram_id,
        "username": "alice.ig",
        "state": "active",
        "sources": [],
        "sync_enabled": True,
        "interval_minutes": 360,
        "followers": None,
        "reported_followers": None,
        "complete": False,
        "last_synced_at": None,
        "next_sync_at": None,
    }


def test_where_the_app_lists_followers_the_account_says_so(alices_program, account, edge):
    assert alices_program.get(at(account)).json()["sources"] == ["edge"]


def test_times_are_utc_whatever_zone_the_member_lives_in(alice, account, clock):
    alice.time_zone = "Pacific/Auckland"
    alice.save()
    settings = settings_of(account)
    settings.last_synced_at = settings.baseline_at = clock()
    settings.save()

    shown = program(alice).get(at(account)).json()["last_synced_at"]

    assert shown == clock().isoformat().replace("+00:00", "Z")


@pytest.mark.usefixtures("bobs_account")
def test_only_the_members_own_accounts_are_listed(alices_program, account):
    rows = alices_program.get(ACCOUNTS).json()["results"]

    assert [row["id"] for row in rows] == [account.pk]


def test_many_accounts_cost_no_more_queries_than_one(alices_program, alice, account):
    settings_of(account)
    with counting_queries() as one:
        alices_program.get(ACCOUNTS)
    for other in LinkedAccountFactory.create_batch(9, owner=alice):
        settings_of(other)

    with counting_queries() as many:
        assert len(alices_program.get(ACCOUNTS).json()["results"]) == 10

    assert len(many) == len(one)


def test_accounts_are_paged_forth_and_back(alices_program, alice):
    made = [row.pk for row in LinkedAccountFactory.create_batch(5, owner=alice)]

    first = alices_program.get(ACCOUNTS, {"limit": 2}).json()
    second = alices_program.get(first["next"]).json()
    third = alices_program.get(second["next"]).json()

    pages = [[row["id"] for row in page["results"]] for page in (first, second, third)]
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]
    assert (first["previous"], third["next"]) == (None, None)
    assert alices_program.get(third["previous"]).json()["results"] == second["results"]
    assert alices_program.get(second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"page": 2}])
def test_a_misspelt_query_is_refused_and_not_ignored(alices_program, query):
    problem(alices_program.get(ACCOUNTS, query), 422, "invalid")


def test_a_personal_account_is_linked_by_its_archives(alices_program):
    response = alices_program.post(ACCOUNTS, {"username": "Ada.L"})

    body = response.json()
    assert response.status_code == 201
    assert (body["instagram_id"], body["sources"], body["username"]) == (None, ["archive"], "ada.l")
    assert alices_program.get(response["Location"]).json()["id"] == body["id"]


@pytest.mark.parametrize(
    "body", [{}, {"username": ""}, {"username": "a b"}, {"username": "x" * 65}]
)
def test_a_name_that_is_none_links_nothing(alices_program, body):
    assert alices_program.post(ACCOUNTS, body).status_code == 422
    assert not LinkedAccount.objects.exists()


def test_linking_the_same_name_twice_is_a_conflict(alices_program):
    alices_program.post(ACCOUNTS, {"username": "ada"})

    problem(alices_program.post(ACCOUNTS, {"username": "ada"}), 409, "already_linked")


def test_pausing_and_resuming(alices_program, account):
    paused = alices_program.patch(at(account), {"sync_enabled": False}).json()
    resumed = alices_program.patch(at(account), {"sync_enabled": True}).json()

    assert (paused["state"], paused["sync_enabled"]) == ("paused", False)
    assert (resumed["state"], resumed["sync_enabled"]) == ("active", True)


def test_pausing_what_is_paused_is_a_conflict(alices_program, account):
    alices_program.patch(at(account), {"sync_enabled": False})

    problem(alices_program.patch(at(account), {"sync_enabled": False}), 409, "already_paused")


def test_the_interval_is_set(alices_program, account):
    assert alices_program.patch(at(account), {"interval_minutes": 60}).json()[
        "interval_minutes"
    ] == 60  # fmt: skip


@pytest.mark.parametrize("minutes", [0, -5, 14, 10_081, 2**40])
def test_an_interval_out_of_bounds_changes_nothing(alices_program, account, minutes):
    body = problem(
        alices_program.patch(at(account), {"interval_minutes": minutes}),
        422, "interval_out_of_bounds",
    )  # fmt: skip

    assert body["errors"][0]["field"] == "interval_minutes"
    assert alices_program.get(at(account)).json()["interval_minutes"] == 360


def test_of_two_wishes_neither_is_done_when_one_cannot_be(alices_program, account):
    wish = {"interval_minutes": 60, "sync_enabled": True}

    problem(alices_program.patch(at(account), wish), 409, "not_paused")

    assert alices_program.get(at(account)).json()["interval_minutes"] == 360


@pytest.mark.parametrize(
    "wish", [{"state": "paused"}, {"sync_enabled": "perhaps"}, {"username": "x"}]
)
def test_what_cannot_be_changed_is_refused(alices_program, account, wish):
    problem(alices_program.patch(at(account), wish), 422, "invalid")


def test_unlinking_answers_with_the_deletion(alices_program, account):
    response = alices_program.delete(at(account))

    assert response.status_code == 202
    assert response.json()["state"] == "requested"
    assert DeletionRequest.objects.get().channel == "api"
    account.refresh_from_db()
    assert account.state == "unlinked"


def test_unlinking_with_grace_keeps_the_data_for_now(alices_program, account):
    body = alices_program.delete(at(account), {"erase": "after_grace"}).json()

    assert body["state"] == "scheduled"
    assert alices_program.get(at(account)).json()["state"] == "unlinked"


def test_unlinking_what_is_unlinked_is_a_conflict(alices_program, account):
    alices_program.delete(at(account), {"erase": "after_grace"})

    problem(alices_program.delete(at(account)), 409, "already_unlinked")


def test_an_unknown_way_of_erasing_unlinks_nothing(alices_program, account):
    problem(alices_program.delete(at(account), {"erase": "later"}), 422, "invalid")

    account.refresh_from_db()
    assert account.state == "active"


@pytest.mark.parametrize(
    ("method", "body"),
    [("get", None), ("patch", {"sync_enabled": False}), ("delete", {"erase": "now"})],
)
def test_nobody_else_reaches_it(bobs_program, anonymous, alice, account, method, body):
    scope = "accounts:write" if method == "get" else "accounts:read"

    problem(getattr(bobs_program, method)(at(account), body), 404, "not_found")
    problem(getattr(anonymous, method)(at(account), body), 401, "not_authenticated")
    problem(getattr(program(alice, scope), method)(at(account), body), 403, "scope_missing")

    account.refresh_from_db()
    assert account.state == "active"


def test_figures_follow_the_list(alices_program, followed, clock):
    settings = settings_of(followed)
    settings.last_synced_at = settings.baseline_at = clock()
    settings.save()
    write(followed, people=[(1, "cem"), (2, "dora")])

    assert alices_program.get(at(followed)).json()["followers"] == 2
