"""`/accounts/`: linked accounts, their state and the member's settings of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings as site
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.deletions import DeletionOutput
from accounts.api.idempotency import idempotent
from accounts.api.pagination import page_by_id
from accounts.api.schema import operation, page_of
from accounts.api.serializers import NoInput, PageQuery, StrictSerializer, UtcField, utc
from accounts.models import LinkedAccount, User
from accounts.scopes import Scope
from accounts.selectors import accounts_of, consent_in_force, in_force
from accounts.services import linking
from accounts.services.quotas import spend
from followersync.models import SyncSettings
from followersync.services.sync.settings import set_interval
from followersync.sources.base import list_sources

STATES = ["active", "paused", "needs_reconnect", "unlinked"]


class AccountOutput(serializers.Serializer[Any]):
    """A linked account. Figures are null until its first sync."""

    id = serializers.IntegerField()
    instagram_id = serializers.CharField(allow_null=True)
    username = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    sources = serializers.ListField(
        child=serializers.CharField(), help_text="Where lists come from; empty: counts only."
    )
    sync_enabled = serializers.BooleanField()
    interval_minutes = serializers.IntegerField()
    followers = serializers.IntegerField(allow_null=True, help_text="Held here, unconfirmed too.")
    reported_followers = serializers.IntegerField(
        allow_null=True, help_text="Instagram's figure; null unless the member allows `profile`."
    )
    complete = serializers.BooleanField(help_text="The list here is known to be whole.")
    last_synced_at = UtcField(allow_null=True)
    next_sync_at = UtcField(allow_null=True)

    def to_representation(self, instance: LinkedAccount) -> dict[str, Any]:
        sync = getattr(instance, "sync_settings", None) or SyncSettings(
            interval_minutes=site.SYNC_INTERVAL_MINUTES_DEFAULT
        )
        listed = sync.baseline_at is not None and sync.last_synced_at is not None
        return {
            "id": instance.pk,
            "instagram_id": instance.instagram_id,
            "username": instance.username,
            "state": instance.state,
            "sources": list_sources(instance),
            "sync_enabled": instance.paused_at is None and instance.unlinked_at is None,
            "interval_minutes": sync.interval_minutes,
            "followers": sync.followers_count if listed else None,
            "reported_followers": sync.reported if _shows_count(instance) else None,
            "complete": sync.complete,
            "last_synced_at": utc(sync.last_synced_at),
            "next_sync_at": utc(sync.next_due_at if instance.state == "active" else None),
        }


def _shows_count(account: LinkedAccount) -> bool:
    """`with_sync` reads it for all accounts of a page at once."""
    shows: bool | None = account.__dict__.get("shows_count")
    return consent_in_force(account.pk, Scope.PROFILE) if shows is None else shows


def with_sync(member: User) -> QuerySet[LinkedAccount]:
    """The member's accounts, each with its sync's figures in the same query."""
    shows_count = in_force(Scope.PROFILE, '"accounts_linkedaccount"."id"')
    return accounts_of(member).select_related("sync_settings").annotate(shows_count=shows_count)


class AccountsView(ApiView):
    scopes = {"GET": "accounts:read", "POST": "accounts:write"}

    class InputSerializer(StrictSerializer):
        username = serializers.CharField(max_length=64)

    @operation(
        "accounts_list",
        "My linked accounts, newest first",
        {200: page_of(AccountOutput, "Accounts")},
        query=PageQuery,
    )
    def get(self, request: Request) -> Response:
        query = self.query(PageQuery)

        def show(rows: list[LinkedAccount]) -> Any:
            return AccountOutput(rows, many=True).data

        return Response(page_by_id(request, with_sync(self.member()), show, **query))

    @operation(
        "accounts_create",
        "Link a personal account by its archives",
        {201: AccountOutput},
        takes=InputSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        username = self.read(self.InputSerializer)["username"]
        spend(user_id=self.member().pk, name="link")
        account = linking.link_by_archive(owner=self.member(), username=username)
        self.kwargs["account_id"] = account.pk
        address = reverse("api:account", args=[account.pk])
        return Response(AccountOutput(account).data, status=201, headers={"Location": address})


class AccountView(ApiView):
    scopes = {"GET": "accounts:read", "PATCH": "accounts:write", "DELETE": "accounts:write"}
    needs_reauthentication_for = ("DELETE",)
    secret_fields = ("salt",)

    class ChangeSerializer(StrictSerializer):
        sync_enabled = serializers.BooleanField(required=False)
        interval_minutes = serializers.IntegerField(required=False)

    class UnlinkSerializer(StrictSerializer):
        erase = serializers.ChoiceField(["now", "after_grace"], default="now")

    @operation("accounts_retrieve", "One linked account", {200: AccountOutput})
    def get(self, request: Request, account_id: int) -> Response:
        self.query(NoInput)
        return self._shown(account_id)

    @operation(
        "accounts_update",
        "Pause, resume, or change how often it syncs",
        {200: AccountOutput},
        takes=ChangeSerializer,
    )
    @idempotent
    def patch(self, request: Request, account_id: int) -> Response:
        account = self.account(account_id)
        wish = self.read(self.ChangeSerializer)
        with transaction.atomic():
            # Lock in the same order as workers: account, run, settings.
            if "sync_enabled" in wish:
                turn = linking.resume if wish["sync_enabled"] else linking.pause
                turn(account=account, actor=self.member())
            if "interval_minutes" in wish:
                set_interval(account=account, minutes=wish["interval_minutes"])
        return self._shown(account_id)

    @operation(
        "accounts_unlink",
        "Unlink: the token goes at once, the data now or after the grace period",
        {202: DeletionOutput},
        takes=UnlinkSerializer,
    )
    @idempotent
    def delete(self, request: Request, account_id: int) -> Response:
        account = self.account(account_id)
        erase = self.read(self.UnlinkSerializer)["erase"]
        spend(user_id=self.member().pk, name="erasure")
        deletion = linking.unlink(
            account=account, erase=erase, channel=self.channel(), actor=self.member()
        )
        address = reverse("api:deletion", args=[deletion.code])
        return Response(DeletionOutput(deletion).data, status=202, headers={"Location": address})

    def answered_account(self) -> int | None:
        # The answer to an unlinking names nobody, and must outlive the account.
        return None if self.request.method == "DELETE" else super().answered_account()

    def _shown(self, account_id: int) -> Response:
        account = self.account(account_id)
        account.sync_settings = SyncSettings.objects.filter(pk=account.pk).first()
        return Response(AccountOutput(account).data)
