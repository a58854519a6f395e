"""Programs with access. Neither their secrets nor their tokens show, by value or by hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from allauth.idp.oidc import admin as theirs
from allauth.idp.oidc.models import Client, Token
from django.contrib import admin
from django.db.models import Q

from accounts.admin.base import LongRecordAdmin
from accounts.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest

# Theirs is imported first, so that it has registered what is replaced here.
admin.site.unregister([theirs.Client, theirs.Token])


@admin.register(Client)
class ProgramAdmin(theirs.ClientAdmin):  # type: ignore[misc]
    """As theirs, which tells a new program's secret once; its hash is of use to guessers alone."""

    exclude: ClassVar[Any] = ("secret",)
    readonly_fields = ("created_at",)

    def has_change_permission(self, request: HttpRequest, obj: Client | None = None) -> bool:
        """Another address in a registration is where the grants that members gave lead to."""
        permitted: bool = super().has_change_permission(request, obj)
        return permitted and (obj is None or request.user.is_superuser)


@admin.register(Token)
class ProgramTokenAdmin(LongRecordAdmin):
    """Staff can end a program's access (delete), which is all they need of it."""

    list_display = ("client", "type", "user", "scopes_shown", "created_at", "expires_at")
    list_filter = ("type",)
    list_select_related = ("client", "user")
    search_fields = ("user__username",)
    fields: ClassVar[Any] = ("client", "type", "user", "scopes_shown", "created_at", "expires_at")
    readonly_fields: ClassVar[Any] = ("scopes_shown",)
    actions: Any = ["delete_selected"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("allauth_idp_oidc.delete_token")

    def found(self, words: str) -> Q:
        """Those of the member of this username."""
        return Q(user__in=list(User.objects.filter(username=words)))

    def whose(self, shown: Any) -> tuple[int | None, int | None]:
        return None, shown.user_id

    @admin.display(description="scopes")
    def scopes_shown(self, token: Any) -> str:
        return " ".join(token.get_scopes())
