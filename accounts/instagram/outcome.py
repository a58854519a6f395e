"""Messages to the member about the outcome of linking."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.services.linking import Linked


def show_outcome(request: HttpRequest, linked: Linked) -> None:
    texts = {
        "linked": _("@%(name)s is linked."),
        "proven": _("@%(name)s is now proven to be yours."),
        "reconnected": _("@%(name)s is connected again."),
        "restored": _("@%(name)s is linked again, with all of its history."),
    }
    messages.success(request, texts[linked.how] % {"name": linked.account.username})
    if linked.refused:
        messages.warning(
            request,
            ngettext(
                "One permission was not given at Instagram, so what needs it stays off: %(names)s.",
                "Some permissions were not given at Instagram, so what needs them stays off: "
                "%(names)s.",
                len(linked.refused),
            )
            % {"names": ", ".join(sorted(linked.refused))},
        )
