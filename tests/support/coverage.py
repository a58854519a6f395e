"""One account under a choice of consents, and all that was asked, stored and shown by them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.urls import reverse

from accounts import consent_coverage, registry, tasks
from accounts.errors import ThreadsiteError
from accounts.instagram import gateway
from accounts.models import DeletionRequest, LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import linking, webhook_subscription
from accounts.services.consent import withdraw
from accounts.services.erasure.data_map import holdings
from followersync import selectors
from followersync.models import SyncRun
from followersync.selectors.known_members import known_members_of
from followersync.services import insights
from followersync.services.imports import requests
from followersync.services.sync import dispatcher, runs
from followersync.views.insights import Insights, insights_of
from tests.support.clock import Clock
from tests.support.exports import Export, population
from tests.support.factories import LinkedAccountFactory, MemberFactory, consent
from tests.support.sandbox import REDIRECT_URI, Sandbox
from tests.support.sync import write

PERSONA = "wanda.counts"
FOLLOWERS = 120
#: A number that occurs nowhere by chance: Instagram counts so many more than the list shows.
OFFSET = 1_987_654_000
BOTH_PERMISSIONS = frozenset({"instagram_business_basic", "instagram_business_manage_insights"})


class Life:
    """Links a persona over HTTP, grants, and lets everything run that runs by itself."""

    def __init__(self, sandbox: Sandbox, clock: Clock, owner: User) -> None:
        self.sandbox, self.clock = sandbox, clock
        sandbox.persona(PERSONA, followers=FOLLOWERS, offset=OFFSET)
        sandbox.clear_requests()
        instagram = gateway.from_settings()
        short = instagram.exchange_code(sandbox.code(PERSONA), REDIRECT_URI)
        token = instagram.long_lived(short.access_token)
        self.account: LinkedAccount = linking.link_from_oauth(
            owner=owner,
            profile=instagram.me(token.access_token),
            token=token,
            permissions=BOTH_PERMISSIONS,
        )
        self._friend()

    def _friend(self) -> None:
        """Bob, who is discoverable, and whose list holds the account."""
        bob = LinkedAccountFactory(owner=MemberFactory(username="bob.there"), username="bob.ig")
        consent(bob, Scope.FOLLOWERS, Scope.DISCOVERABLE)
        SyncRun.objects.filter(account=bob).delete()
        write(bob, people=[(int(self.account.instagram_id or ""), PERSONA)])

    def allow(self, scopes: Iterable[Scope]) -> None:
        consent(self.account, *scopes)

    def withdraw(self, scope: Scope, *, keep_data: bool = False) -> None:
        """As the member does, with what the queue does at once; erasures are for `erase`."""
        withdraw(
            account=self.account,
            scope=scope,
            channel="web",
            actor=self.account.owner,
            keep_data=keep_data,
        )
        if scope is Scope.FOLLOWERS:
            tasks.subscribe(self.account.pk)

    def pass_days(self, days: int = 3) -> None:
        """People come and go at Instagram; a tick, its tasks, an import and webhooks each day."""
        for _day in range(days):
            self.work()
            self.sandbox.change(self.account.instagram_id or "", follow=3, leave=2, rename=1)
            self.clock.advance(days=1)
            self.sandbox.advance(86_400)
        self.work()

    def work(self) -> None:
        dispatcher.tick()
        for run in SyncRun.objects.filter(account=self.account, state__in=SyncRun.OPEN):
            while runs.advance(run.pk):
                pass
        if insights.tick():
            insights.read(self.account.pk)
        for account_id in webhook_subscription.due():
            webhook_subscription.subscribe(account_id)

    def bring_archive(self) -> bool:
        """Whether an import was admitted."""
        newest = int(self.clock().timestamp()) - 86_400
        export = Export(
            population(40, seed=3, newest=newest), owner=PERSONA, day=self.clock().date()
        )
        try:
            run = requests.request_import(
                account=self.account,
                uploaded_file=io.BytesIO(export.zip()),
                channel="web",
                file_name=export.name,
            )
        except ThreadsiteError:
            return False
        requests.advance(run.pk)
        return True

    def erase(self) -> None:
        for deletion in DeletionRequest.objects.filter(state__in=DeletionRequest.OPEN):
            while tasks.run_deletion(deletion.pk):
                pass

    @property
    def calls(self) -> set[str]:
        """Route and fields of every request since the last clearing."""
        return {
            f"{each['route']} {fields}".strip()
            for each in self.sandbox.requests()
            for fields in each["fields"] or [""]
        }

    @property
    def columns(self) -> set[tuple[str, str]]:
        """(table, column) of everything that holds more than its default for the account."""
        found: set[tuple[str, str]] = set()
        for table, where in account_tables():
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {table} WHERE {where}", {"id": self.account.pk})
                names = [column.name for column in cursor.description or ()]
                rows = cursor.fetchall()
            empty = _defaults(table)
            found |= {
                (table, name)
                for row in rows
                for name, value in zip(names, row, strict=True)
                if value not in (None, "", 0, "{}", "[]")
                and value != {}
                and value != []
                and str(value) != str(empty.get(name, ""))
            }
        return found

    @property
    def places_of_the_count(self) -> set[tuple[str, str]]:
        """(table, column) of every value of the account in which Instagram's count is written."""
        found = set()
        for table, where in account_tables():
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT j.key FROM {table} t, jsonb_each_text(to_jsonb(t)) j"
                    f" WHERE {where} AND j.value ~ %(count)s",
                    {"id": self.account.pk, "count": COUNT.pattern},
                )
                found |= {(table, key) for (key,) in cursor.fetchall()}
        return found

    @property
    def shows(self) -> set[str]:
        account = LinkedAccount.objects.get(pk=self.account.pk)
        shown = {
            "the list, its history and its changes": selectors.followers_page(account).rows
            or selectors.changes_page(account, limit=1).rows,
            "Instagram's own count, now and over time": self.count_shown_in() - {"copy"},
            "daily totals, and who follows by age, city, country and gender": self._insights(),
            "members who follow each other, to one another": known_members_of(account).rows,
        }
        return {name for name, seen in shown.items() if seen}

    def _insights(self) -> Insights | None:
        """As the account's page decides it."""
        account = LinkedAccount.objects.get(pk=self.account.pk)
        return insights_of(account, allowed=selectors.overview(account).shows_insights)

    def count_shown_in(self) -> set[str]:
        """Where the member, staff or the member's copy see a count as high as Instagram's."""
        browser = Client()
        browser.force_login(self.account.owner, backend="django.contrib.auth.backends.ModelBackend")
        staff = Client()
        admin = User.objects.filter(username="stella").first() or MemberFactory(
            username="stella", is_staff=True, is_superuser=True
        )
        staff.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
        api = f"/api/v1/accounts/{self.account.pk}/"
        texts = {
            "page": browser.get(reverse("account", args=[self.account.pk])).content.decode(),
            "settings": browser.get(
                reverse("account-settings", args=[self.account.pk])
            ).content.decode(),
            **{
                f"api {name}": browser.get(f"{api}{name}").content.decode()
                for name in ("", "snapshots/", "growth/", "runs/", "digest/")
            },
            "api accounts": browser.get("/api/v1/accounts/").content.decode(),
            "admin": staff.get("/admin/followersync/followersnapshot/").content.decode(),
            "copy": str([list(rows(self.account)) for rows in _exporters()]),
        }
        insight = self._insights()
        texts["page"] = texts["page"].split('id="insights')[0] if insight else texts["page"]
        return {name for name, text in texts.items() if _counts_in(text)}


def _exporters() -> list[Any]:
    return [rows for name, rows in registry.exporters().items() if name != "daily_totals"]


#: OFFSET and the hundred or so of the list.
COUNT = re.compile(r"1987654\d{3}")


def _counts_in(text: str) -> bool:
    return bool(COUNT.search(text.replace(",", "")))


def account_tables() -> list[tuple[str, str]]:
    """(table, condition) of every table that holds rows of an account, by the catalogue."""
    found = [("accounts_linkedaccount", "id = %(id)s")]
    for each in holdings("account"):
        parameter = "'account:' || %(id)s::text" if ":" in each.form else "%(id)s"
        found.append((each.table, each.where.replace("%s", parameter)))
    return found


def _defaults(table: str) -> dict[str, object]:
    """What a column holds when nothing was ever written there, where that is a plain value."""
    (model,) = (each for each in apps.get_models() if each._meta.db_table == table)
    return {
        str(each.column): each.default
        for each in model._meta.concrete_fields
        if each.default is not models.NOT_PROVIDED and not callable(each.default)
    }


def not_covered(life: Life, bases: Iterable[str]) -> set[tuple[str, str]]:
    """(table, column) that hold something though none of `bases` pays for it."""
    covered = [consent_coverage.declared[basis] for basis in bases]
    return {
        (table, column)
        for table, column in life.columns
        if not any(covers(each, table, column) for each in covered)
    }


def covers(covered: consent_coverage.Covered, table: str, column: str) -> bool:
    return table in covered.tables and column in covered.tables[table]
