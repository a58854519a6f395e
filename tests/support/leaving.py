"""A member who has used everything, under names and ids that occur nowhere else."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client as Program
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from accounts import clock, files
from accounts.instagram.gateway import LongLivedToken
from accounts.models import DataExport, IdempotencyRecord, LinkedAccount, User
from accounts.scopes import Scope
from accounts.services import tokens
from accounts.sessions import SessionStore
from followersync.models import (
    Absence,
    CallBudget,
    Follower,
    FollowerChange,
    FollowerSnapshot,
    FullScan,
    PastFollow,
    ScanPage,
    SyncRun,
    SyncSettings,
)
from tests.support.factories import LinkedAccountFactory, MemberFactory, consent

TOKEN = "IGAAcanarytokenquetzal"
MAIL = "quetzalcanary@nowhere-else.example"
NAME = "quetzal.canary"
INSTAGRAM_ID = "17841499887766551"
APP_ID = "25999887766554433"
#: Follower number n of the canary is `wombatfan<n>`, with this id + n.
FOLLOWER_ID = 17841400777000000


@dataclass
class Canary:
    owner: User
    account: LinkedAccount
    followers: int = 0
    words: list[str] = field(default_factory=list)


def canary(*, followers: int = 30) -> Canary:
    """The member, everything of theirs, and the words to search for."""
    owner = MemberFactory(username="quetzalmember", email=MAIL, first_name="Quetzalina")
    account = LinkedAccountFactory(
        owner=owner, username=NAME, instagram_id=INSTAGRAM_ID, app_scoped_id=APP_ID
    )
    consent(account, Scope.PROFILE, Scope.FOLLOWERS)
    token = LongLivedToken(access_token=TOKEN, expires_in=5_000_000)
    tokens.store(account=account, token=token)
    words = ["quetzal", INSTAGRAM_ID, APP_ID, TOKEN, "wombatfan", str(FOLLOWER_ID)[:-4]]
    made = Canary(owner=owner, account=account, followers=followers, words=words)
    _lists(account.pk, followers)
    run = _syncs(account)
    _sign_in(owner, account)
    _payloads(owner, account, run)
    return made


def _lists(account_id: int, followers: int) -> None:
    now = clock.now()
    Follower.objects.bulk_create(
        Follower(account_id=account_id, key=FOLLOWER_ID + n, place=n, username=f"wombatfan{n}")
        for n in range(followers)
    )
    PastFollow.objects.create(
        account_id=account_id, key=FOLLOWER_ID + 900, valid_to=now, username="wombatfanpast"
    )
    FollowerChange.objects.create(
        account_id=account_id, position=1, key=FOLLOWER_ID + 1, at=now, kind="gained",
        username="wombatfan1", previous_username="wombatfanolder",
    )  # fmt: skip
    Absence.objects.create(
        account_id=account_id, key=FOLLOWER_ID + 1, unconfirmed_since=now, last_at=now
    )
    ScanPage.objects.create(
        account_id=account_id, number=1, part="pages", at=now, keys=[FOLLOWER_ID + 2]
    )
    CallBudget.objects.create(name=f"account:{account_id}", window_started_at=now)


def _syncs(account: LinkedAccount) -> SyncRun:
    now = clock.now()
    SyncSettings.objects.get_or_create(account=account)
    run = SyncRun.objects.create(
        account=account, trigger="member", state="failed", created_at=now, finished_at=now,
        error_detail=f"Instagram would not list {NAME}",
    )  # fmt: skip
    FollowerSnapshot.objects.create(account=account, at=now, mode="full", position=1, followers=3)
    FullScan.objects.create(account=account, started_at=now, closed_at=now)
    return run


def _sign_in(owner: User, account: LinkedAccount) -> None:
    now = clock.now()
    EmailAddress.objects.create(user=owner, email=MAIL, verified=True, primary=True)
    social = SocialAccount.objects.create(
        user=owner, provider="instagram", uid=INSTAGRAM_ID, extra_data={"username": NAME}
    )
    SocialToken.objects.create(account=social, token="not-kept-in-real-life")
    Authenticator.objects.create(user=owner, type="totp", data={"secret": "quetzalsecret"})
    program = Program.objects.create(name="quetzal's program", owner=owner)
    Token.objects.create(type="at", hash="quetzalhash", client=program, user=owner)
    IdempotencyRecord.objects.create(
        user=owner, key_hash="k", request_hash="r", claimed_at=now, body={"username": NAME},
        expires_at=now + timedelta(days=1), account_id=account.pk,
    )  # fmt: skip
    export = DataExport.objects.create(owner=owner, created_at=now, state="ready", path="x")
    name, _size = files.keep(files.Area.EXPORTS, io.BytesIO(NAME.encode()), owner=owner)
    DataExport.objects.filter(pk=export.pk).update(path=name)
    files.keep(files.Area.TRANSFERS, io.BytesIO(MAIL.encode()), account=account)


def _payloads(owner: User, account: LinkedAccount, run: SyncRun) -> None:
    session = SessionStore()
    session[SESSION_KEY] = str(owner.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = owner.get_session_auth_hash()
    session["last_seen"] = {"account": account.pk, "name": NAME}
    session.save()
    UserSession.objects.create(user=owner, session_key=session.session_key, ip="192.0.2.7")
    cache.set("sign-in", {"sub": str(owner.pk), "email": MAIL}, 600)
    queue_task("followersync.tasks.advance_run", run.pk)
    ended_task("followersync.tasks.advance_run", run.pk, f"RetryLater: {NAME}")
    ended_task("accounts.tasks.notify_member", owner.pk, "True")
    ended_task("accounts.tasks.refresh_token", account.pk, "True")
    for model, identity, text in (
        (LinkedAccount, account.pk, f"@{NAME}"),
        (User, owner.pk, owner.username),
        (SyncRun, run.pk, f"run of {NAME}"),
    ):
        LogEntry.objects.create(
            user=owner, content_type=ContentType.objects.get_for_model(model),
            object_id=str(identity), object_repr=text, action_flag=CHANGE,
        )  # fmt: skip


def queue_task(func: str, *args: Any) -> None:
    payload = {"id": "a" * 32, "name": "bell", "func": func, "args": args, "kwargs": {}}
    OrmQ.objects.create(key="threadsite", payload=SignedPackage.dumps(payload), lock=clock.now())


def ended_task(func: str, argument: int, result: str) -> None:
    Task.objects.create(
        id=f"{Task.objects.count():032d}", name="bell", func=func, args=(argument,), kwargs={},
        result=result, started=clock.now(), stopped=clock.now(), success=False,
    )  # fmt: skip
