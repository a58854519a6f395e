"""Admin page of the log of staff views, read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q

from accounts.admin.base import LongRecordAdmin, number_in
from accounts.models import StaffView, User

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


@admin.register(StaffView)
class StaffViewAdmin(LongRecordAdmin):
    list_display = ("at", "staff", "what", "object_id", "account_id", "owner_id")
    list_filter = ("what", ("staff", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("staff",)
    search_fields = ("account_id", "owner_id", "staff__username")

    def found(self, words: str) -> Q:
        """By the staff member's username, or the number of the account or member viewed."""
        if (number := number_in(words)) is not None:
            return Q(account_id=number) | Q(owner_id=number)
        return Q(staff__in=list(User.objects.filter(username=words)))

    def note(self, request: HttpRequest, shown: Model | None) -> Any:
        """Views of the log are not logged: that would never end."""
