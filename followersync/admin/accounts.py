"""Admin of linked accounts, with the state of their syncs and the action “sync now”."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin.links import LinkedAccountAdmin, each
from accounts.models import LinkedAccount
from followersync.models.run import Trigger
from followersync.services.sync.runs import request_sync

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(LinkedAccount)
class SyncedAccountAdmin(LinkedAccountAdmin):
    list_display: Any = (
        "username", "owner", "kind", "state_shown_", "followers", "failures", "last_synced",
        "next_due", "token_expires_",
    )  # fmt: skip
    list_select_related: ClassVar[Any] = ("owner", "sync_settings")
    fields: ClassVar[Any] = (
        *LinkedAccountAdmin.fields,
        "followers",
        "failures",
        "last_synced",
        "next_due",
    )
    readonly_fields: ClassVar[Any] = (
        *LinkedAccountAdmin.readonly_fields, "followers", "failures", "last_synced", "next_due",
    )  # fmt: skip
    actions: Any = ["sync_now", *LinkedAccountAdmin.actions]

    @admin.action(description=_("Sync now"), permissions=["act"])
    def sync_now(self, request: HttpRequest, rows: QuerySet[LinkedAccount]) -> None:
        def sync_now(account: LinkedAccount) -> None:
            request_sync(account=account, trigger=Trigger.STAFF)

        each(self, request, rows, sync_now)

    @admin.display(description=_("followers"), ordering="sync_settings__followers_count")
    def followers(self, account: LinkedAccount) -> Any:
        return _of_sync(account, "followers_count")

    @admin.display(description=_("failures in a row"), ordering="sync_settings__failures")
    def failures(self, account: LinkedAccount) -> Any:
        return _of_sync(account, "failures")

    @admin.display(description=_("last synced"), ordering="sync_settings__last_synced_at")
    def last_synced(self, account: LinkedAccount) -> Any:
        return _of_sync(account, "last_synced_at")

    @admin.display(description=_("next due"), ordering="sync_settings__next_due_at")
    def next_due(self, account: LinkedAccount) -> Any:
        return _of_sync(account, "next_due_at")


def _of_sync(account: LinkedAccount, name: str) -> Any:
    """A field of the account's sync settings; None before there are any."""
    return getattr(getattr(account, "sync_settings", None), name, None)
