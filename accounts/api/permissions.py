"""Whether the one who asks may: a member, and, for a program, the scope it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.idp.oidc.models import Token
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission

from accounts.api.authentication import CHALLENGE, is_own_session
from accounts.instagram.reauthentication import is_fresh

if TYPE_CHECKING:
    from rest_framework.request import Request


class ScopeMissing(PermissionDenied):
    """The program was not given the scope that this route wants (RFC 6750: insufficient_scope)."""

    def __init__(self, scope: str) -> None:
        detail = _("This access token lacks the scope “%(scope)s”. Ask the member for it.")
        super().__init__(detail % {"scope": scope}, "scope_missing")
        self.auth_header = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'


class NotFresh(PermissionDenied):
    """A session left open is not enough for what hands out or ends everything."""

    def __init__(self) -> None:
        detail = _(
            "Show first that it is you: do this on the site's own page, which asks for it, or sign "
            "in there once more. Nothing was changed."
        )
        super().__init__(detail, "reauthentication_required")


class MemberWithScope(BasePermission):
    """The web session may all that its member may; a program what its token's scopes name.

    The view's `scopes` maps a method to its scope. A method without one is closed to programs, so
    that a forgotten entry shows as a refusal and not as an open door.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            raise NotAuthenticated(_("Sign in, or send an access token."))
        method = request.method or ""
        # A method that the route does not know is told so (405), and not that a scope is missing.
        if isinstance(request.auth, Token) and hasattr(view, method.lower()):
            scope = view.scope_of(method)
            if scope not in request.auth.get_scopes():
                raise ScopeMissing(scope)
        elif method in view.grave and is_own_session(request) and not is_fresh(request):
            raise NotFresh
        return True
