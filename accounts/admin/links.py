"""Admin page of linked accounts: pause, resume and withdraw consent, but never grant it.

Registered by followersync.admin, which adds what it knows of the account's syncs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin, messages
from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import RecordAdmin
from accounts.errors import ThreadsiteError
from accounts.models import AccessToken, LinkedAccount, User
from accounts.scopes import Scope
from accounts.selectors import consents_in_force
from accounts.services import consent, linking

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("active", _("active")),
            ("paused", _("paused")),
            ("needs_reconnect", _("needs reconnect")),
            ("unlinked", _("unlinked")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state_shown=self.value()) if self.value() else queryset


def with_state(rows: QuerySet[LinkedAccount]) -> QuerySet[LinkedAccount]:
    """Annotate `state_shown`, equal to LinkedAccount.state, for sorting and filtering."""
    return rows.annotate(
        state_shown=Case(
            When(unlinked_at__isnull=False, then=Value("unlinked")),
            When(paused_at__isnull=False, then=Value("paused")),
            When(needs_reconnect_since__isnull=False, then=Value("needs_reconnect")),
            default=Value("active"),
        ),
        token_expires=F("access_token__expires_at"),
    )


def scope_withdrawal(scope: Scope) -> Callable[..., None]:
    """An admin action that withdraws one scope of the chosen accounts."""

    def withdraw(model_admin: Any, request: HttpRequest, rows: QuerySet[LinkedAccount]) -> None:
        def act(account: LinkedAccount) -> None:
            consent.withdraw(
                account=account, scope=scope, channel="admin", actor=cast("User", request.user)
            )

        act.__name__ = f"withdraw_{scope.value}"
        each(model_admin, request, rows, act)

    withdraw.__name__ = f"withdraw_{scope.value}"
    described = admin.action(
        description=_("Withdraw consent to “%(scope)s” (its data is erased)")
        % {"scope": scope.value},
        permissions=["act"],
    )
    return described(withdraw)


def each(
    model_admin: Any,
    request: HttpRequest,
    rows: QuerySet[LinkedAccount],
    act: Callable[[LinkedAccount], object],
) -> None:
    """Apply `act` to each row; show each refusal as a message and continue."""
    done = 0
    for account in rows.select_related("owner"):
        model_admin.note(request, account)
        try:
            act(account)
        except ThreadsiteError as error:
            model_admin.message_user(
                request, f"@{account.username}: {error.detail}", messages.WARNING
            )
        else:
            done += 1
            model_admin.log_change(
                request, account, f"{act.__name__} ({request.POST.get('action')})"
            )
    if done:
        text = _("Done for %(count)s accounts.") % {"count": done}
        model_admin.message_user(request, text, messages.SUCCESS)


class LinkedAccountAdmin(RecordAdmin):
    """Shows whether there is a token and when it expires, never the token itself."""

    list_display: Any = (
        "username",
        "owner",
        "kind",
        "state_shown_",
        "linked_at",
        "token_expires_",
    )
    list_filter: ClassVar[Any] = (StateFilter, "kind")
    list_select_related: ClassVar[Any] = ("owner",)
    search_fields = ("username", "=instagram_id", "=app_scoped_id", "owner__username")
    search_help_text = _("Username, Instagram id, or the member's name")
    ordering = ("-id",)
    actions: Any = [
        "pause",
        "resume",
        *(scope_withdrawal(scope) for scope in Scope),
    ]
    fields: ClassVar[Any] = (
        "owner", "username", "kind", "instagram_id", "app_scoped_id",
        "state_shown_", "granted_permissions", "consents", "linked_at", "paused_at",
        "needs_reconnect_since", "reconnect_reason", "unlinked_at", "restorable_until",
        "profile_refreshed_at", "token",
    )  # fmt: skip
    readonly_fields: ClassVar[Any] = ("state_shown_", "consents", "token")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_state(super().get_queryset(request))

    def owner_ids_of(self, shown: LinkedAccount) -> tuple[int | None, int | None]:
        return shown.pk, shown.owner_id

    def has_act_permission(self, request: HttpRequest) -> bool:
        """The records are read-only; the actions need the change permission."""
        return request.user.has_perm("accounts.change_linkedaccount")

    @admin.display(description=_("state"), ordering="state_shown")
    def state_shown_(self, account: Any) -> str:
        return str(account.state)

    @admin.display(description=_("token until"), ordering="token_expires")
    def token_expires_(self, account: Any) -> Any:
        return account.token_expires

    @admin.display(description=_("allowed"))
    def consents(self, account: LinkedAccount) -> str:
        return ", ".join(sorted(consents_in_force(account))) or "–"

    @admin.display(description=_("token"))
    def token(self, account: LinkedAccount) -> str:
        stored = AccessToken.objects.filter(account=account).only("expires_at").first()
        if stored is None:
            return str(_("none"))
        return str(_("one, until %(end)s") % {"end": stored.expires_at.isoformat()})

    @admin.action(description=_("Pause"), permissions=["act"])
    def pause(self, request: HttpRequest, rows: QuerySet[LinkedAccount]) -> None:
        def pause(account: LinkedAccount) -> None:
            linking.pause(account=account, actor=cast("User", request.user))

        each(self, request, rows, pause)

    @admin.action(description=_("Resume"), permissions=["act"])
    def resume(self, request: HttpRequest, rows: QuerySet[LinkedAccount]) -> None:
        def resume(account: LinkedAccount) -> None:
            linking.resume(account=account, actor=cast("User", request.user))

        each(self, request, rows, resume)
