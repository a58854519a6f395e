"""Admin pages of sign-in data: social accounts, e-mail addresses, second factors, sessions.

allauth's own pages let staff give any of them to another member, and show session keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from allauth.account import admin as accounts
from allauth.mfa import admin as factors
from allauth.socialaccount import admin as social
from allauth.usersessions import admin as sessions
from django.contrib import admin

from accounts.admin.base import RecordAdmin
from accounts.admin.members import may_touch

if TYPE_CHECKING:
    from django.http import HttpRequest

# allauth's are imported first, so that they have registered what is replaced here. Apps come from
# the environment, and tokens are not stored: there is nothing to show of either.
for each in (
    accounts.EmailAddress,
    factors.Authenticator,
    sessions.UserSession,
    social.SocialAccount,
    social.SocialApp,
    social.SocialToken,
):
    admin.site.unregister(each)


class OfMemberAdmin(RecordAdmin):
    list_select_related = ("user",)

    def owner_ids_of(self, shown: Any) -> tuple[int | None, int | None]:
        return None, shown.user_id


@admin.register(social.SocialAccount)
class SocialAccountAdmin(OfMemberAdmin):
    """An Instagram sign-in; only linking, which proves it, changes the owner."""

    list_display = ("user", "uid", "provider", "last_login")
    list_filter = ("provider",)
    search_fields = ("=uid", "user__username")
    fields: ClassVar[Any] = ("user", "provider", "uid", "last_login", "date_joined")


@admin.register(accounts.EmailAddress)
class EmailAddressAdmin(OfMemberAdmin):
    """Only the owner confirms an address, by the mail that is sent there."""

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    search_fields = ("email", "user__username")
    fields: ClassVar[Any] = ("user", "email", "primary", "verified")


@admin.register(factors.Authenticator)
class SecondFactorAdmin(OfMemberAdmin):
    """Staff can delete a second factor whose device was lost; its secret is never shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__username",)
    fields: ClassVar[Any] = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        mine = may_touch(request, obj.user if obj is not None else None)
        return mine and request.user.has_perm("mfa.delete_authenticator")


@admin.register(sessions.UserSession)
class SessionAdmin(OfMemberAdmin):
    """Sessions without their keys: a key is as good as a password."""

    list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    search_fields = ("user__username",)
    fields: ClassVar[Any] = ("user", "ip", "user_agent", "created_at", "last_seen_at")
