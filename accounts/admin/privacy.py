"""Admin pages of erasures, exports, privacy requests, residue findings and the suppression list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin, messages
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.admin.base import RecordAdmin
from accounts.errors import ThreadsiteError
from accounts.models import (
    DataExport,
    DeletionRequest,
    ErasureEntry,
    PrivacyRequest,
    ResidueFinding,
    SuppressedPerson,
)
from accounts.services import erasure, suppression

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from accounts.models import User


def _each(
    page: RecordAdmin, request: HttpRequest, rows: QuerySet[Any], act: Callable[[Any], object]
) -> None:
    """Apply the service `act` to each row; show each refusal as a message."""
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except ThreadsiteError as error:
            page.message_user(request, f"{row}: {error.detail}", messages.ERROR)
    page.message_user(request, _("Done: %(number)d") % {"number": done})


@admin.register(DeletionRequest)
class DeletionRequestAdmin(RecordAdmin):
    list_display = (
        "code", "state", "everything", "scope", "channel", "requested_at", "not_before",
        "completed_at", "attempts", "error_code",
    )  # fmt: skip
    list_filter = ("state", "channel", "everything")
    search_fields = ("=code",)
    exclude = ("worker", "claimed_until", "callback_digest", "commitment")
    actions = ["try_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_deletionrequest")

    @admin.action(description=_("Try failed deletions again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, rows: QuerySet[DeletionRequest]) -> None:
        _each(self, request, rows, lambda row: erasure.retry(deletion=row))


@admin.register(DataExport)
class DataExportAdmin(RecordAdmin):
    """Shows that an export exists and its progress, never the file."""

    list_display = ("id", "owner", "state", "created_at", "finished_at", "expires_at", "size")
    list_filter = ("state",)
    list_select_related = ("owner",)
    exclude = ("path", "worker", "claimed_until")


@admin.register(ErasureEntry)
class ErasureEntryAdmin(RecordAdmin):
    list_display = ("kind", "at", "fingerprint")
    list_filter = ("kind",)
    ordering = ("-id",)


@admin.register(ResidueFinding)
class ResidueFindingAdmin(RecordAdmin):
    """Possible residue found by the nightly search, which staff can mark as harmless."""

    list_display = ("table", "column", "row", "what", "found_at", "cleared_at", "cleared_by")
    list_filter = (("cleared_at", admin.EmptyFieldListFilter), "table")
    list_select_related = ("cleared_by", "deletion")
    ordering = ("-id",)
    actions = ["judge_harmless"]

    def has_judge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_residuefinding")

    @admin.action(description=_("Looked at: not the erased person's"), permissions=["judge"])
    def judge_harmless(self, request: HttpRequest, rows: QuerySet[ResidueFinding]) -> None:
        rows.filter(cleared_at=None).update(cleared_at=clock.now(), cleared_by=request.user)


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(RecordAdmin):
    list_display = ("code", "kind", "state", "proof", "received_at", "due_at", "decided_at")
    list_filter = ("state", "kind", "proof")
    search_fields = ("=code",)
    list_select_related = ("decided_by",)
    readonly_fields = ("held",)
    actions = ["agree", "refuse_unproven", "refuse_nothing_held", "close"]

    @admin.display(description=_("held about the person, for the answer"))
    def held(self, row: PrivacyRequest) -> str:
        """Shown only once ownership of the name is proven; before that staff need not see it."""
        granted = row.state == PrivacyRequest.State.GRANTED and not row.wiped_at
        if row.kind != PrivacyRequest.Kind.ACCESS or not granted:
            return gettext("Shown for a request for access that was granted, until it is closed.")
        rows = [json.dumps(each, default=str) for each in suppression.stored_about(row)]
        lines = format_html_join("", "<li><code>{}</code></li>", ((each,) for each in rows))
        return format_html("<ul>{}</ul>", lines) if rows else gettext("Nothing.")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_privacyrequest")

    @admin.action(
        description=_("Grant: I have seen that the name is theirs"), permissions=["decide"]
    )
    def agree(self, request: HttpRequest, rows: QuerySet[PrivacyRequest]) -> None:
        self._decide(request, rows, reason="")

    @admin.action(description=_("Refuse: not shown to be theirs"), permissions=["decide"])
    def refuse_unproven(self, request: HttpRequest, rows: QuerySet[PrivacyRequest]) -> None:
        self._decide(request, rows, reason=gettext("It was not shown that the name is yours."))

    @admin.action(description=_("Refuse: nothing is held"), permissions=["decide"])
    def refuse_nothing_held(self, request: HttpRequest, rows: QuerySet[PrivacyRequest]) -> None:
        self._decide(request, rows, reason=gettext("Nothing is held under this name."))

    @admin.action(description=_("Close: answered; forget name and address"), permissions=["decide"])
    def close(self, request: HttpRequest, rows: QuerySet[PrivacyRequest]) -> None:
        _each(self, request, rows, lambda row: suppression.close(request=row))

    def _decide(self, request: HttpRequest, rows: QuerySet[PrivacyRequest], *, reason: str) -> None:
        staff = cast("User", request.user)
        _each(
            self,
            request,
            rows,
            lambda row: suppression.decide(
                request=row, staff=staff, grant=not reason, reason=reason
            ),
        )


@admin.register(SuppressedPerson)
class SuppressedPersonAdmin(RecordAdmin):
    """Shows hashes and dates of suppressed people, not their names."""

    list_display = ("id", "kind", "at", "request")
    list_filter = ("kind",)
    list_select_related = ("request",)
    fields: ClassVar[Any] = ("kind", "at", "request")
