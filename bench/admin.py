"""`python -m bench.admin [RUNS] [ACCOUNTS]`: the cost of the admin's pages on a large site.

A database of its own is filled as for `bench.nightly`, and with the admin's other tables. Staff
then open every list (first page, last page, each filter's first choice, each order, searches by a
name and by a number), one record of each kind, and the overview. Printed for each page: queries,
milliseconds in the database and in total, rows read from tables. Parallel queries are off: a busy
site has no idle cores.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench import nightly
from bench.ground import prepared, sql

if TYPE_CHECKING:
    from django.test import Client

RUNS: Final = 10_000_000
ACCOUNTS: Final = 100_000
#: The slowest statement is printed for pages with more database time (ms).
SLOW_MS: Final = 500
SEARCHES: Final = ("linked.77", "member77", "1000077", "nobody-of-this-name")
MEMBER, ACCOUNT, AGO = "1000001 + n %% 100", "1000000 + n", "now() - n * interval '1 minute'"
#: Table: how many rows per account, and the values of columns that need one; n counts from 1.
TABLES: Final[dict[str, tuple[float, dict[str, str]]]] = {
    "account_emailaddress": (
        1,
        {"user_id": ACCOUNT, "email": "'m' || n || '@people.example'", "verified": "true",
         '"primary"': "true"},
    ),
    "socialaccount_socialaccount": (
        1,
        {"user_id": ACCOUNT, "provider": "'instagram'", "uid": "(17841400000000000 + n)::text",
         "last_login": AGO, "date_joined": AGO},
    ),
    "usersessions_usersession": (
        1,
        {"user_id": ACCOUNT, "session_key": "md5(n::text)", "ip": "'127.0.0.1'",
         "user_agent": "'browser'"},
    ),
    "mfa_authenticator": (0.5, {"user_id": ACCOUNT, "type": "'totp'"}),
    "allauth_idp_oidc_client": (
        0.001, {"id": "'program' || n", "name": "'Program ' || n", "type": "'confidential'"},
    ),
    "allauth_idp_oidc_token": (
        2,
        {"client_id": "'program1'", "user_id": MEMBER, "type": "'ia'", "hash": "md5(n::text)"},
    ),
    "accounts_accesstoken": (
        1, {"account_id": ACCOUNT, "issued_at": AGO, "expires_at": "now() + interval '60 days'"},
    ),
    "accounts_consentsubject": (1, {"account_id": ACCOUNT, "subject": "md5(n::text)::uuid"}),
    "accounts_consentevent": (
        12,
        {"subject": "md5((n / 12 + 1)::text)::uuid", "sequence": "n %% 12 + 1", "at": AGO,
         "scope": "'followers'", "action": "'granted'", "channel": "'web'",
         "text_hash": "repeat('0', 64)"},
    ),
    "accounts_staffview": (
        10,
        {"staff_id": MEMBER, "at": AGO, "what": "'accounts.linkedaccount'",
         "account_id": "1000000 + n %% 999", "owner_id": "1000000 + n %% 999"},
    ),
    "accounts_deletionrequest": (
        1, {"code": "md5(n::text)", "channel": "'web'", "state": "'completed'",
            "requested_at": AGO, "completed_at": AGO},
    ),
    "accounts_dataexport": (1, {"owner_id": MEMBER, "state": "'expired'", "created_at": AGO}),
    "accounts_privacyrequest": (
        0.1, {"code": "md5(n::text)", "kind": "'access'", "state": "'refused'", "due_at": AGO},
    ),
    "accounts_suppressedperson": (0.1, {"kind": "'name'", "digest": "decode(md5(n::text), 'hex')"}),
    "followersync_fullscan": (
        20, {"account_id": "1000001 + n %% 999", "why": "'first'", "started_at": AGO,
             "closed_at": AGO, "outcome": "'finished'"},
    ),
    "followersync_archiveimport": (
        3, {"account_id": "1000001 + n %% 999", "run_id": "n", "channel": "'web'",
            "created_at": AGO, "dialect": "'json'"},
    ),
    "followersync_callbudget": (1, {"name": "'account:' || 1000000 + n"}),
    "followersync_webhooksubscription": (
        0.5, {"owner_id": ACCOUNT, "url": "'https://hooks.example/' || n"},
    ),
    "django_q_task": (
        0.02, {"id": "md5(n::text)", "name": "n::text", "func": "'tick'", "success": "n %% 9 > 0"},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """One request: milliseconds; `rows`: read from tables, without index-only reads."""

    model: str
    what: str
    queries: int
    database: float
    whole: float
    rows: int
    slowest: str

    def __str__(self) -> str:
        return (
            f"{self.model:36} {self.what:34} {self.queries:>7} {self.database:>9.0f}"
            f" {self.whole:>7.0f} {self.rows:>12,}"
        )


def main() -> None:
    """Fill the database, and open every page."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    accounts = int(sys.argv[2]) if len(sys.argv) > 2 else ACCOUNTS
    os.environ["STAFF_MFA_REQUIRED"] = "0"
    with prepared():
        begun = time.perf_counter()
        nightly.fill(runs, accounts)
        fill(accounts)
        print(f"# filled in {time.perf_counter() - begun:.0f} s", flush=True)
        print_pages()


def fill(accounts: int) -> None:
    """Rows in the admin's other tables, as a few years of such a site leave."""
    for table, (share, columns) in TABLES.items():
        statement = (
            f"INSERT INTO {table} ({', '.join(columns)}{{more}}) "
            f"SELECT {', '.join(columns.values())}{{values}} FROM generate_series(1, %s) n"
        )
        sql(nightly.completed(statement, table), max(1, int(accounts * share)))
    sql("VACUUM ANALYZE")


def print_pages() -> None:
    """Print one line for each page, and its slow statements."""
    sql("SET max_parallel_workers_per_gather = 0")
    print(f"{'list':36} {'page':34} {'queries':>7} {'database':>9} {'ms':>7} {'rows':>12}")
    pages: list[Page] = []
    for page in opened(staff()):
        pages.append(page)
        print(page, flush=True)
        if page.database > SLOW_MS:
            print(f"#   {page.slowest}", flush=True)
    slow = sum(page.database > SLOW_MS for page in pages)
    print(f"# {len(pages)} pages; the database took over {SLOW_MS} ms for {slow}")


def staff() -> Client:
    """A superuser's client."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from accounts.sessions import signed

    stella = User.objects.create_superuser(username="stella")
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(stella, backend="django.contrib.auth.backends.ModelBackend")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    client.cookies[settings.SESSION_COOKIE_NAME] = signed(cookie.value)
    return client


def opened(client: Client) -> Iterator[Page]:
    """Every page of the admin, requested twice: the second is measured, with warm caches."""
    from django.contrib import admin
    from django.urls import reverse

    for name, address in (("index", "admin:index"), ("overview", "admin-overview")):
        yield asked(client, name, "", reverse(address))[0]
    for model, model_admin in admin.site._registry.items():
        label = model._meta.label
        address = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
        first, response = asked(client, label, "first page", address)
        yield first
        for what, query in ways(response.context_data["cl"], bool(model_admin.search_fields)):
            yield asked(client, label, what, address + query)[0]
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            name = f"admin:{model._meta.label_lower.replace('.', '_')}_change"
            yield asked(client, label, "one record", reverse(name, args=[row.pk]))[0]


def ways(listed: Any, searched: bool) -> Iterator[tuple[str, str]]:
    """(what, query string) of the list's other pages."""
    yield "last page", listed.get_query_string({"p": listed.paginator.num_pages})
    for spec in listed.filter_specs:
        choice = next(c for c in list(spec.choices(listed))[1:] or spec.choices(listed))
        yield f"filter by {spec.title}", choice["query_string"]
    for place, column in enumerate(listed.list_display):
        if column in listed.sortable_by and listed.get_ordering_field(column):
            yield f"sorted by {column}", listed.get_query_string({"o": place})
    for words in SEARCHES if searched else ():
        yield f"search for {words}", listed.get_query_string({"q": words})


def asked(client: Client, model: str, what: str, address: str) -> tuple[Page, Any]:
    """The page's cost; raises SystemExit if it is not shown."""
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    with transaction.atomic():
        client.get(address)
    with transaction.atomic():
        before = sql(ROWS_READ)
        begun = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            response: Any = client.get(address)
        whole = time.perf_counter() - begun
        rows = sql(ROWS_READ) - before
    if response.status_code != 200:
        raise SystemExit(f"{address}: {response.status_code}")
    times = [(float(query["time"]), query["sql"]) for query in queries]
    page = Page(
        model=model,
        what=what,
        queries=len(times),
        database=1000 * sum(seconds for seconds, _sql in times),
        whole=1000 * whole,
        rows=rows,
        slowest=max(times)[1][:600],
    )
    return page, response


ROWS_READ: Final = (
    "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint FROM pg_stat_xact_user_tables"
)


if __name__ == "__main__":
    main()
