"""Exceptions, one class per required reaction: callers match the class, never the text.

Every error has a stable `code` for programs and a `detail` for people: what happened, what it
means, what to do. Only `threadsite.exception_handler` turns them into HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime

    from django_stubs_ext import StrOrPromise

    from accounts.scopes import Scope


class ThreadsiteError(Exception):
    """Base class of our errors."""

    code: str = "error"
    detail: StrOrPromise = _("Something went wrong. Please try again later.")

    def __init__(self, code: str | None = None, detail: StrOrPromise | None = None) -> None:
        self.code = code or type(self).code
        self.detail = detail if detail is not None else type(self).detail
        super().__init__(self.code)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class NotFound(ThreadsiteError):
    """The object does not exist or belongs to another member: the answer is the same."""

    code = "not_found"
    detail = _("There is nothing here that belongs to you. Check the address.")


class Gone(ThreadsiteError):
    """The object existed and no longer does: start again from the list."""

    code = "gone"
    detail = _("This is no longer kept. Please load the list again from its beginning.")


class Conflict(ThreadsiteError):
    """The present state does not allow the action; nothing was changed."""

    code = "conflict"
    detail = _("This is not possible in the present state. Nothing was changed.")


class InvalidInput(ThreadsiteError):
    """The input is wrong; `field` names where. Nothing was changed."""

    code = "invalid"
    detail = _("This input is not valid. Nothing was changed.")

    def __init__(
        self,
        code: str | None = None,
        detail: StrOrPromise | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.field = field


class NotAllowed(ThreadsiteError):
    """The caller may not do this in any state: only the member in their own session may."""

    code = "not_allowed"
    detail = _("Only the member can do this, signed in on this site.")


class PermissionMissing(ThreadsiteError):
    """Instagram refuses this call: the member withheld or withdrew a permission there."""

    code = "permission_missing"
    detail = _(
        "Instagram does not permit this any more. Reconnect the account and leave the "
        "permission ticked, or go on without it."
    )


class NeedsReconnect(ThreadsiteError):
    """The token is invalid; only the member can provide a new one. Never retried automatically."""

    code = "needs_reconnect"
    detail = _(
        "The connection to Instagram has ended. Nothing is lost here; reconnect the account "
        "to go on."
    )

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.reason = reason


class UnlinkedByInstagram(ThreadsiteError):
    """The member removed our app at Instagram (190/458): treated as unlinking."""

    code = "unlinked_by_instagram"
    detail = _("The app was removed at Instagram, so the account was unlinked here as well.")


class RetryLater(ThreadsiteError):
    """A temporary failure."""

    code = "retry_later"
    detail = _("Instagram does not answer properly at the moment. We try again by ourselves.")


class WaitUntil(ThreadsiteError):
    """A budget is used up until `at` (aware, UTC). Earlier calls only prolong it."""

    code = "wait_until"
    detail = _("Instagram's limit for this account is used up. We go on by ourselves.")

    def __init__(self, at: datetime, detail: StrOrPromise | None = None) -> None:
        super().__init__(detail=detail)
        self.at = at


class ConsentMissing(ThreadsiteError):
    """The member has not consented to this scope, or has withdrawn consent."""

    code = "consent_missing"
    detail = _("You have not allowed this use of your data. You can do so in the settings.")

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope


class Bug(ThreadsiteError):
    """A fault in our code or setup: repeating does not help."""

    code = "bug"
    detail = _("This is a fault of ours. It was recorded; nothing of yours was changed.")


class WrongShape(Bug):
    """An answer of unknown structure: nothing in it is used."""

    code = "wrong_shape"
    detail = _(
        "Instagram answered in a form that we do not know. Nothing was changed; the answer is "
        "not believed until somebody has looked at it."
    )


class ParameterRefused(WrongShape):
    """Instagram rejects a parameter of ours, such as an expired cursor."""
