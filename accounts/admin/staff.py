"""The log of staff's looks, itself only to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from accounts.admin.base import RecordAdmin
from accounts.models import StaffView

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


@admin.register(StaffView)
class StaffViewAdmin(RecordAdmin):
    list_display = ("at", "staff", "what", "object_id", "account_id", "owner_id")
    list_filter = ("what", ("staff", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("staff",)
    search_fields = ("=account_id", "=owner_id", "staff__username")

    def note(self, request: HttpRequest, shown: Model | None) -> Any:
        """Looking at the log is not logged: it would never end."""
