"""API permissions: a signed-in member, and for a program the scope that the route needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.idp.oidc.models import Token
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission

from accounts.api.authentication import CHALLENGE, is_own_session
from accounts.instagram.reauthentication import recently_authenticated

if TYPE_CHECKING:
    from rest_framework.request import Request


class ScopeMissing(PermissionDenied):
    """The token lacks the scope that this route needs (RFC 6750: insufficient_scope)."""

    def __init__(self, scope: str) -> None:
        detail = _("This access token lacks the scope “%(scope)s”. Ask the member for it.")
        super().__init__(detail % {"scope": scope}, "scope_missing")
        self.auth_header = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'


class ReauthenticationRequired(PermissionDenied):
    """The route needs recent reauthentication, not only an open session."""

    def __init__(self) -> None:
        detail = _(
            "Show first that it is you: do this on the site's own page, which asks for it, or sign "
            "in there once more. Nothing was changed."
        )
        super().__init__(detail, "reauthentication_required")


class MemberWithScope(BasePermission):
    """A web session may do all that its member may; a program only what its scopes allow.

    The view's `scopes` maps a method to its scope. A method without one is closed to programs, so
    that a forgotten entry denies access instead of granting it.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            raise NotAuthenticated(_("Sign in, or send an access token."))
        method = request.method or ""
        # A method that the route does not support is answered with 405, not with a missing scope.
        if isinstance(request.auth, Token) and hasattr(view, method.lower()):
            scope = view.scope_of(method)
            if scope not in request.auth.get_scopes():
                raise ScopeMissing(scope)
        elif (
            method in view.needs_reauthentication_for
            and is_own_session(request)
            and not recently_authenticated(request)
        ):
            raise ReauthenticationRequired
        return True
