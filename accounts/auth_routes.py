"""The table of allauth's routes: which need reauthentication, and why the others do not.

A route in neither table is guarded (accounts.middleware), and a test fails until it is added to
one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: GET is guarded too, so that nobody fills in a form in vain, or sees a secret.
GUARDED: Final = frozenset(
    {
        "account_change_password",
        "account_set_password",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_add_webauthn",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
    }
)
#: Overviews: GET needs only a signed-in member; each change is guarded.
GUARDED_CHANGES: Final = frozenset(
    {"account_email", "socialaccount_connections", "instagram_login"}
)

_SIGN_IN: Final = "signs somebody in, who proves by it that it is them"
_PROOF: Final = "is the proof itself"
_LOOK: Final = "shows a page and changes nothing"
_BY_MAIL: Final = "the link in a mail to the member's own address is the proof"
_MOVED: Final = "an old address of allauth's that leads to the new one"
_FROM_INSTAGRAM: Final = "ends a round that a guarded page began, by a state that works once"

OPEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "account_login": _SIGN_IN,
        "account_signup": "makes a new member; nobody's credentials change",
        "account_confirm_login_code": _SIGN_IN,
        "mfa_authenticate": _SIGN_IN,
        "mfa_login_webauthn": _SIGN_IN,
        "account_reauthenticate": _PROOF,
        "mfa_reauthenticate": _PROOF,
        "mfa_reauthenticate_webauthn": _PROOF,
        "account_logout": "ends the session it comes from",
        "account_inactive": _LOOK,
        "account_email_verification_sent": _LOOK,
        "account_confirm_email": _BY_MAIL,
        "account_reset_password": "sends a mail, and only to an address that is verified",
        "account_reset_password_done": _LOOK,
        "account_reset_password_from_key": _BY_MAIL,
        "account_reset_password_from_key_done": _LOOK,
        "mfa_index": _LOOK,
        "mfa_list_webauthn": _LOOK,
        "socialaccount_login_cancelled": _LOOK,
        "socialaccount_login_error": _LOOK,
        "socialaccount_signup": "makes a new member out of a sign-in at Instagram",
        "instagram_callback": _FROM_INSTAGRAM,
        "googledrive_callback": "lets exports be read; nobody signs in with their Drive",
        "usersessions_list": "ends other sessions of the member, and gives nobody access",
        "auth/social/login/cancelled/": _MOVED,
        "auth/social/login/error/": _MOVED,
        "auth/social/signup/": _MOVED,
        "auth/social/connections/": _MOVED,
    }
)


def requires_reauthentication(route: str, method: str) -> bool:
    """`route`: the name of a route under /auth/, or its pattern if it has no name."""
    if route in OPEN:
        return False
    return route not in GUARDED_CHANGES or method not in ("GET", "HEAD", "OPTIONS")
