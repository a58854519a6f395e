"""Benchmark environment: an embedded PostgreSQL with stock settings, members and accounts."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, cast

from threadsite import database, environment

FOLDER = "bench"
PORT = int(os.environ.get("BENCH_PORT", "8980"))
SITE, SANDBOX = f"http://127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT + 1}"
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "threadsite.settings",
    "LOG_LEVEL": "WARNING",
    "PUBLIC_URL": SITE,
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    "INSTAGRAM_CLIENT_ID": "990602627938098",
    "INSTAGRAM_CLIENT_SECRET": "sandbox-client-secret",
    "INSTAGRAM_WEBHOOK_VERIFY_TOKEN": "sandbox-verify-token",
    "INSTAGRAM_OAUTH_URL": SANDBOX,
    "INSTAGRAM_API_URL": SANDBOX,
    "INSTAGRAM_GRAPH_URL": SANDBOX,
    "INSTAGRAM_FOLLOWERS_EDGE": "followers",
}
_numbers = count(1)


@contextmanager
def prepared() -> Iterator[None]:
    """A new migrated database, with Django set up. Data elsewhere is never touched."""
    home = environment.home() / FOLDER
    for folder in ("postgres", "files", "erasures"):
        shutil.rmtree(home / folder, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    os.environ["THREADSITE_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    os.environ.update(SETTINGS)
    environment.prepare("sandbox")
    with database.available(needed=True):
        set_up()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield


def set_up() -> None:
    """Set up Django over the database of DATABASE_URL; child processes begin with this too."""
    import django

    django.setup()


def member(name: str = "bench") -> Any:
    from accounts.models import User

    return User.objects.create_user(username=f"{name}{next(_numbers)}-{os.getpid()}")


def account(*, kind: str = "archive", owner: Any = None) -> Any:
    """A linked account that may be synced: with consent, without an open run."""
    from accounts import clock, crypto
    from accounts.models import AccessToken, LinkedAccount
    from accounts.scopes import BASIC_PERMISSION, INSIGHTS_PERMISSION
    from followersync.models import SyncRun
    from followersync.services.sync.settings import settings_of

    number = next(_numbers)
    proven = kind == "oauth"
    linked = LinkedAccount.objects.create(
        owner=owner or member(),
        kind=kind,
        instagram_id=str(17841499000000000 + number) if proven else None,
        username=f"bench.{number}",
        granted_permissions=[BASIC_PERMISSION, INSIGHTS_PERMISSION],
        linked_at=clock.now(),
    )
    if proven:
        issued = clock.now()
        AccessToken.objects.create(
            account=linked,
            ciphertext=crypto.encrypt("IGAAbench"),
            issued_at=issued,
            expires_at=issued.replace(year=issued.year + 5),
        )
    allow_followers(linked)
    settings_of(linked)
    SyncRun.objects.filter(account=linked).delete()
    return linked


def allow_followers(linked: Any) -> None:
    from accounts.scopes import Scope

    allow(linked, Scope.FOLLOWERS)


def allow(linked: Any, scope: Any) -> None:
    """The owner's consent to the current text."""
    from accounts.services import consent

    consent.grant(
        account=linked,
        scope=scope,
        text_hash=consent.current_text(scope, "en").hash,
        language="en",
        channel="web",
        actor=linked.owner,
    )


def sql(statement: str, *values: object) -> Any:
    """The first row's first column, None if there is none."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, cast("Any", values) or None)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def settle() -> None:
    """Finish the preparation's background work before the next measurement."""
    sql("CHECKPOINT")
    gc.collect()


def timed(work: Callable[[], object]) -> float:
    """Seconds of the work, without garbage collection of the bench's own lists."""
    gc.collect()
    gc.freeze()
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    gc.unfreeze()
    return seconds
