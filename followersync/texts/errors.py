"""Error texts: the code of a run or an export as a sentence in the reader's language.

The queue stores only the code, since it does not know the reader's language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from accounts import errors
from followersync.services.imports import requests
from followersync.services.imports.ownership import QUESTIONS
from followersync.sources.archive.errors import Problem
from followersync.sources.archive.wording import DETAILS as OF_ARCHIVES

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DETAILS: Final[dict[str, StrOrPromise]] = {
    **{
        error.code: error.detail
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.ThreadsiteError)
    },
    errors.Bug.code: errors.Bug.detail,
    errors.WrongShape.code: errors.WrongShape.detail,
    "file_missing": requests.MISSING,
    "paused": _("This account is paused. Resume it to go on."),
    "unlinked": _("This account is unlinked. Link it again to go on."),
    **{problem.value: OF_ARCHIVES[problem] for problem in Problem if problem in OF_ARCHIVES},
    **QUESTIONS,
}


def in_words(code: str, otherwise: str = "") -> str:
    """The sentence; `otherwise`: the message stored with the code, for unknown codes."""
    return str(DETAILS.get(code) or otherwise or errors.ThreadsiteError.detail)
