"""Admin pages of OAuth programs and their tokens, without secrets, tokens or their hashes."""

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

# allauth's admin is imported first, so that it has registered what is replaced here.
admin.site.unregister([theirs.Client, theirs.Token])


@admin.register(Client)
class ProgramAdmin(theirs.ClientAdmin):  # type: ignore[misc]
    """allauth's client admin, which shows a new secret once; the secret's hash is hidden."""

    exclude: ClassVar[Any] = ("secret",)
    readonly_fields = ("created_at",)

    def has_change_permission(self, request: HttpRequest, obj: Client | None = None) -> bool:
        """Refused: a changed redirect address would send members' grants elsewhere."""
        permitted: bool = super().has_change_permission(request, obj)
        return permitted and (obj is None or request.user.is_superuser)


@admin.register(Token)
class ProgramTokenAdmin(LongRecordAdmin):
    """Staff can only delete a token, which ends the program's access."""

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
        """Tokens of the member with this username."""
        return Q(user__in=list(User.objects.filter(username=words)))

    def owner_ids_of(self, shown: Any) -> tuple[int | None, int | None]:
        return None, shown.user_id

    @admin.display(description="scopes")
    def scopes_shown(self, token: Any) -> str:
        return " ".join(token.get_scopes())
