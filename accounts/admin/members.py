"""Members and staff. Passwords and second factors are changed by their owners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import WatchedAdmin
from accounts.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    AnyUserAdmin = UserAdmin[User]
else:
    AnyUserAdmin = UserAdmin


@admin.register(User)
class MemberAdmin(WatchedAdmin, AnyUserAdmin):
    """As Django's; deletion goes through the erasure that members ask for, not through here."""

    list_display: Any = (
        "username",
        "is_active",
        "is_staff",
        "links",
        "date_joined",
        "last_login",
    )
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email")
    ordering = ("-id",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("username", "email", "language", "time_zone")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Times"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        live = Count("linked_accounts", filter=Q(linked_accounts__unlinked_at__isnull=True))
        rows = super().get_queryset(request)
        return cast("QuerySet[Any]", rows.annotate(links_shown=live))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def user_change_password(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        """Django's page would let staff set anybody's password, and so become them."""
        raise PermissionDenied

    def whose(self, shown: User) -> tuple[int | None, int | None]:
        return None, shown.pk

    @admin.display(description=_("linked accounts"), ordering="links_shown")
    def links(self, member: Any) -> int:
        return int(member.links_shown)
