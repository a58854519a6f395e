"""What all admin pages here share: records are looked at, not edited, and each look is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Model

from accounts import clock
from accounts.models import StaffView

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User

    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelAdmin = admin.ModelAdmin


class WatchedAdmin(AnyModelAdmin):
    """Notes who looked at which record, and whose it was."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        shown = self.get_object(request, object_id)
        if shown is not None and self.has_view_or_change_permission(request, shown):
            self.note(request, shown)
        return super().change_view(request, object_id, form_url, extra_context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # A search names whom it is after; a mere list names nobody in particular.
        if request.GET.get("q") and self.has_view_or_change_permission(request):
            self.note(request, None)
        return super().changelist_view(request, extra_context)

    def note(self, request: HttpRequest, shown: Model | None) -> None:
        account_id, owner_id = self.whose(shown) if shown is not None else (None, None)
        StaffView.objects.create(
            staff=cast("User", request.user),
            at=clock.now(),
            what=self.opts.label_lower,
            object_id="search" if shown is None else str(shown.pk),
            account_id=account_id,
            owner_id=owner_id,
        )

    def whose(self, shown: Any) -> tuple[int | None, int | None]:
        """(linked account, member) that the record is about."""
        return getattr(shown, "account_id", None), getattr(shown, "owner_id", None)


class RecordAdmin(WatchedAdmin):
    """A record: nobody adds, changes or deletes it here, superusers included."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
