"""Staff open the lists of a large site: pages cost a few queries, and never read a whole table."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.filters import RelatedFieldListFilter
from django.urls import reverse
from django.utils import timezone

from accounts.admin import base
from accounts.admin.base import LongRecordAdmin
from accounts.models import ConsentEvent, StaffView, User
from accounts.scopes import Scope
from followersync.models import SyncRun
from tests.support.api import counting_queries
from tests.support.factories import consent
from tests.support.sync import linked, without_runs

pytestmark = pytest.mark.django_db

RUNS = "admin:followersync_syncrun_changelist"
MOST_QUERIES = 12


@pytest.fixture
def as_stella(client, stella):
    client.force_login(stella, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def two_newest(monkeypatch):
    """Lists look at the two newest records instead of a hundred thousand."""
    monkeypatch.setattr(base, "NEWEST", 2)


def runs(account, *codes: str) -> list[SyncRun]:
    now = timezone.now()
    return [
        SyncRun.objects.create(
            account=account, trigger="schedule", state="failed", error_code=code,
            created_at=now, finished_at=now,
        )
        for code in codes
    ]  # fmt: skip


def listed(client, address: str, **query: object):
    """The list as staff see it."""
    response = client.get(reverse(address), query)
    assert response.status_code == 200
    return response.context["cl"]


def queries_of(client, address: str) -> list[str]:
    with counting_queries() as queries:
        assert client.get(address).status_code == 200, address
    return [query["sql"] for query in queries]


def every_list(client) -> list[str]:
    """Each list's first page, each filter's first choice, and a search."""
    addresses = []
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        plain = reverse(f"admin:{name}_changelist")
        for spec in client.get(plain).context["cl"].filter_specs:
            choices = list(spec.choices(client.get(plain).context["cl"]))
            addresses += [plain + choice["query_string"] for choice in choices[1:2]]
        addresses += [
            plain,
            *([f"{plain}?q=alice", f"{plain}?q=1"] * bool(model_admin.search_fields)),
        ]
    return addresses


def test_no_list_takes_more_than_a_few_queries(as_stella, account):
    consent(account, Scope.FOLLOWERS)
    runs(account, "retry_later", "wrong_shape")

    for address in every_list(as_stella):
        assert len(queries_of(as_stella, address)) <= MOST_QUERIES, address


def test_no_list_counts_or_asks_for_the_values_of_a_whole_long_table(as_stella, account):
    """Each would read ten million runs, for a number or a filter that nobody looks at."""
    consent(account, Scope.FOLLOWERS)
    runs(account, "retry_later", "wrong_shape")
    long = [
        model._meta.db_table
        for model, model_admin in admin.site._registry.items()
        if isinstance(model_admin, LongRecordAdmin)
    ]

    for address in every_list(as_stella):
        for sql in queries_of(as_stella, address):
            if any(f'FROM "{table}"' in sql for table in long) and "LIMIT 1" not in sql:
                assert "WHERE" in sql, (address, sql)


def test_no_filter_offers_all_members_or_accounts():
    for model_admin in admin.site._registry.values():
        for each in model_admin.list_filter:
            field, kind = each if isinstance(each, tuple) else (each, None)
            if not isinstance(field, str):
                continue
            related = model_admin.opts.get_field(field).remote_field
            assert related is None or kind not in (None, RelatedFieldListFilter), field


@pytest.mark.usefixtures("two_newest")
def test_a_list_shows_the_newest_and_filters_among_them(as_stella, account):
    _oldest, *newest = runs(account, "unlinked", "retry_later", "wrong_shape")

    found = listed(as_stella, RUNS)

    assert list(found.result_list) == newest[::-1]
    (codes,) = (spec for spec in found.filter_specs if spec.title == "error code")
    assert list(codes.lookup_choices) == ["retry_later", "wrong_shape"]
    assert not listed(as_stella, RUNS, error_code="unlinked").result_list


def test_no_long_list_offers_an_order_by_an_index_through_the_whole_table(as_stella):
    assert "account" in listed(as_stella, RUNS).list_display
    assert "account" not in listed(as_stella, RUNS).sortable_by


@pytest.mark.usefixtures("two_newest")
def test_older_ones_are_found_by_account_and_open(as_stella, alice, account):
    (old,) = runs(account, "unlinked")
    runs(without_runs(linked(alice, username="other")), "retry_later", "retry_later")

    for words in ("alice.ig", "@Alice.IG", account.pk, old.pk):
        assert old in listed(as_stella, RUNS, q=words).result_list, words
    for words in ("alice", "nobody", "9" * 30, "²"):
        assert old not in listed(as_stella, RUNS, q=words).result_list, words
    shown = as_stella.get(reverse("admin:followersync_syncrun_change", args=[old.pk]))
    assert shown.status_code == 200


def test_the_ledger_is_searched_by_a_subject_in_full(as_stella, monkeypatch, account):
    monkeypatch.setattr(base, "NEWEST", 1)
    for scope in (Scope.FOLLOWERS, Scope.INSIGHTS):
        consent(account, scope)
    subject = ConsentEvent.objects.first().subject
    ledger = "admin:accounts_consentevent_changelist"

    assert listed(as_stella, ledger).result_count == 1
    assert listed(as_stella, ledger, q=subject).result_count == 2
    assert listed(as_stella, ledger, q="no subject").result_count == 0


@pytest.mark.usefixtures("two_newest")
def test_looks_are_found_by_staff_and_by_whom_they_were_at(as_stella, stella, account):
    looks = [
        StaffView.objects.create(
            staff=stella, at=timezone.now(), what="overview", owner_id=owner, account_id=4
        )
        for owner in (1, 2, 3)
    ]  # fmt: skip
    log = "admin:accounts_staffview_changelist"

    assert list(listed(as_stella, log).result_list) == looks[:0:-1]
    assert list(listed(as_stella, log, q=1).result_list) == looks[:1]
    assert list(listed(as_stella, log, q="stella").result_list) == looks[::-1]


def test_members_are_listed_with_their_linked_accounts(as_stella, alice, account, bob):
    linked(alice, username="another")

    members = {
        m: m.links_shown for m in listed(as_stella, "admin:accounts_user_changelist").result_list
    }

    assert (members[alice], members[User.objects.get(pk=bob.pk)]) == (2, 0)
