"""Admin of runs, full scans, snapshots, budgets, imports and webhooks, read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlsplit

from django.contrib import admin
from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import LongRecordAdmin, RecordAdmin, number_in
from accounts.models import LinkedAccount
from followersync.models import (
    ArchiveImport,
    CallBudget,
    FollowerSnapshot,
    FullScan,
    SyncRun,
    WebhookSubscription,
)
from followersync.selectors.series import SHOWN_COUNT

if TYPE_CHECKING:
    from django.http import HttpRequest


class OfAccountAdmin(LongRecordAdmin):
    """A record of one account, found by its own number, or the account's number or username."""

    list_select_related: ClassVar[Any] = ("account",)
    search_fields = ("account__username",)

    def found(self, words: str) -> Q:
        named = LinkedAccount.objects.filter(username__iexact=words.removeprefix("@"))
        accounts = list(named.values_list("pk", flat=True))
        if (number := number_in(words)) is not None:
            return Q(account__in=[*accounts, number]) | Q(pk=number)
        return Q(account__in=accounts)

    def owner_ids_of(self, shown: Any) -> tuple[int | None, int | None]:
        return shown.account_id, shown.account.owner_id


@admin.register(SyncRun)
class SyncRunAdmin(OfAccountAdmin):
    list_display: Any = (
        "id", "account", "state", "mode", "trigger", "created_at", "took", "calls", "gained",
        "lost", "returned", "renamed", "error_code",
    )  # fmt: skip
    list_filter = ("state", "mode", "trigger", "error_code")
    exclude = ("worker",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        lasted = ExpressionWrapper(F("finished_at") - F("started_at"), DurationField())
        rows = super().get_queryset(request)
        return cast("QuerySet[Any]", rows.annotate(lasted=lasted))

    @admin.display(description=_("took"), ordering="lasted")
    def took(self, run: Any) -> Any:
        return run.lasted


@admin.register(FollowerSnapshot)
class FollowerSnapshotAdmin(OfAccountAdmin):
    list_display: Any = (
        "id", "account", "at", "mode", "followers", "count_", "unconfirmed", "gained", "lost",
        "complete",
    )  # fmt: skip
    list_filter = ("mode", "complete")
    exclude = ("reported",)
    readonly_fields: ClassVar[Any] = ("count_",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return cast("QuerySet[Any]", rows.annotate(shown_count=SHOWN_COUNT))

    @admin.display(description=_("Instagram's own count"))
    def count_(self, snapshot: Any) -> int | None:
        """Only where the member allows showing it."""
        found: int | None = snapshot.shown_count
        return found


@admin.register(FullScan)
class FullScanAdmin(OfAccountAdmin):
    list_display = ("id", "account", "why", "started_at", "closed_at", "outcome", "pages", "people")
    list_filter = ("outcome", "why")


@admin.register(CallBudget)
class CallBudgetAdmin(RecordAdmin):
    list_display = ("name", "window_started_at", "calls", "percent", "blocked_until")
    search_fields = ("name",)


@admin.register(ArchiveImport)
class ArchiveImportAdmin(OfAccountAdmin):
    """The result of an import; not the archive."""

    list_display = ("id", "account", "channel", "created_at", "dialect", "kind", "people", "size")
    list_filter = ("channel", "dialect", "kind")
    list_select_related = ("account", "run")
    exclude = ("stored", "ranges", "fingerprint")


@admin.register(WebhookSubscription)
class WebhookSubscriptionAdmin(RecordAdmin):
    """The state of a subscription; never its secret, nor its path, which may contain one."""

    list_display = (
        "id", "owner", "host", "created_at", "last_delivered_at", "failures", "last_error",
        "disabled_at", "disabled_reason",
    )  # fmt: skip
    list_filter = ("disabled_reason",)
    list_select_related = ("owner",)
    search_fields = ("owner__username",)
    exclude = ("secret", "url", "next_attempt_at")
    readonly_fields: ClassVar[Any] = ("host",)

    @admin.display(description=_("address"))
    def host(self, subscription: Any) -> str:
        return urlsplit(str(subscription.url)).netloc
