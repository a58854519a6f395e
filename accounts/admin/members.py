"""Admin pages of members, staff and groups, without changing passwords or second factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import LoggedViewAdmin
from accounts.models import LinkedAccount, User

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    AnyUserAdmin = UserAdmin[User]
else:
    AnyUserAdmin = UserAdmin


#: Fields that only superusers may change.
RIGHTS: Final = ("is_staff", "is_superuser", "groups")


def may_touch(request: HttpRequest, member: User | None) -> bool:
    """Only superusers may change staff. `member` None: no particular member."""
    return (
        request.user.is_superuser or member is None or not (member.is_staff or member.is_superuser)
    )


@admin.register(User)
class MemberAdmin(LoggedViewAdmin, AnyUserAdmin):
    """Django's user admin, without deletion: members are removed by an erasure only."""

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

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """A user who could grant rights could grant themselves all of them."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if request.user.is_superuser else (*fixed, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Counted only for the members of a page: a join would group all of them first.
        live = LinkedAccount.objects.filter(owner=OuterRef("pk"), unlinked_at=None)
        counted = live.order_by().values("owner").annotate(n=Count("pk")).values("n")
        rows = super().get_queryset(request)
        return cast("QuerySet[Any]", rows.annotate(links_shown=Coalesce(Subquery(counted), 0)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def user_change_password(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        """Refused: by Django's page staff could set a member's password and sign in as them."""
        raise PermissionDenied

    def owner_ids_of(self, shown: User) -> tuple[int | None, int | None]:
        return None, shown.pk

    @admin.display(description=_("linked accounts"))
    def links(self, member: Any) -> int:
        return int(member.links_shown)


admin.site.unregister(Group)


@admin.register(Group)
class RightsAdmin(GroupAdmin):
    """Only superusers change groups; otherwise staff could extend their own rights."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)
