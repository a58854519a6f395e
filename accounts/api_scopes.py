"""OAuth scopes: what a program may do for a member over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SCOPES: Final[dict[str, StrOrPromise]] = {
    "accounts:read": _("See your member data, your linked accounts, their syncs and consents"),
    "accounts:write": _("Start syncs, pause, change intervals, withdraw consent and unlink"),
    "followers:read": _("See your follower lists, their history and changes"),
    "followers:write": _("Import follower lists"),
    "privacy:write": _("Export your data and erase it"),
}

#: Scopes that change data, or give lasting access to the lists. To
#: grant these, a member reauthenticates.
SENSITIVE_SCOPES: Final = frozenset(
    {"followers:read", *(scope for scope in SCOPES if scope.endswith(":write"))}
)
