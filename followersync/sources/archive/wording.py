"""Messages about an archive's problem: what happened, what it means, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from followersync.sources.archive.errors import Problem

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


DETAILS: dict[Problem, StrOrPromise] = {
    Problem.NOT_AN_ARCHIVE: _(
        "This file is not an Instagram export: it is neither a zip nor one of its lists. "
        "Choose the zip that Instagram gave you, as it is."
    ),
    Problem.ENCRYPTED: _(
        "This zip is locked with a password, so its lists cannot be read. "
        "Choose the zip as Instagram gave it to you."
    ),
    Problem.DAMAGED: _(
        "This export is damaged or was cut off while it was copied. Download it once more."
    ),
    Problem.UNSAFE_PATH: _(
        "This archive holds file names that point outside of it, as Instagram's never do, so it "
        "was not read. Choose the zip as Instagram gave it to you."
    ),
    Problem.TOO_LARGE: _(
        "The follower list in this archive is larger than we read. Export only "
        "“Followers and following”, in the format JSON."
    ),
    Problem.BOMB: _(
        "This zip would grow without measure when unpacked, as Instagram's never do, so it was "
        "not read. Choose the zip as Instagram gave it to you."
    ),
    Problem.TOO_HEAVY: _(
        "Reading this archive takes more memory or time than we give to one. Export only "
        "“Followers and following”, in the format JSON."
    ),
    Problem.TOO_MANY_FILES: _(
        "This archive holds more files than we look through. Export only “Followers and following”."
    ),
    Problem.NO_FOLLOWER_LIST: _(
        "There is no follower list in this archive. When you export, choose "
        "“Followers and following”, the format JSON and the date range “All time”."
    ),
    Problem.ONLY_THREADS: _(
        "This archive lists your Threads followers, not those on Instagram. When you export, "
        "choose your Instagram account and “Followers and following”."
    ),
    Problem.ANOTHER_LIST: _(
        "This is another of Instagram's lists, not your followers. Choose the whole zip, or its "
        "file followers_1.json."
    ),
    Problem.NAME_UNKNOWN: _(
        "The list in here was renamed, and nothing else says which of Instagram's lists it is. "
        "If it holds your followers, call it followers_1.json (or .html) again and choose it anew."
    ),
    Problem.PACKED_INSIDE: _(
        "The export is packed inside another zip. Unpack the outer one, and choose the zip inside "
        "that holds your followers."
    ),
    Problem.PART_TWICE: _(
        "Two different files in here are both the same part of your follower list. "
        "Leave only one of them and choose the archive once more."
    ),
    Problem.SEVERAL_EXPORTS: _(
        "There is more than one export in here, and nothing says which one counts. "
        "Choose one export at a time."
    ),
    Problem.WRONG_SHAPE: _(
        "The follower list in this archive is written in a way we do not know. We would rather "
        "not guess. Export it once more in the format JSON; if that does not help, tell us."
    ),
    Problem.AMBIGUOUS_NAMES: _(
        "We cannot tell which words in this export are the usernames. Set Instagram to English, "
        "export once more and choose that archive."
    ),
    Problem.UNKNOWN_DATES: _(
        "The dates in this export are written in a way we do not know. Export it once more in "
        "the format JSON."
    ),
    Problem.FOREIGN_OWNER: _(
        "This export belongs to another account than the one you chose. "
        "Choose the export of this account."
    ),
    Problem.UNREACHABLE: _("The archive could not be opened. Check that it is still there."),
}
#: The same where the file is known.
OF_A_FILE: dict[Problem, StrOrPromise] = {
    Problem.NAME_UNKNOWN: _(
        "“%(file)s” was renamed, and nothing in it says which of Instagram's lists it is. If it "
        "holds your followers, call it followers_1.json (or .html) again and choose it anew."
    ),
    Problem.PACKED_INSIDE: _(
        "The export is packed inside another zip. Unpack the outer one, and choose “%(file)s” or "
        "whichever zip inside holds your followers."
    ),
    Problem.PART_TWICE: _(
        "“%(file)s” is the same part of your follower list as another file beside it, and holds "
        "something else. Leave only one of them and choose the archive once more."
    ),
}


def words(problem: Problem, file: str = "") -> str:
    """The message in the active language; `file`: the file inside with the problem, if known."""
    if file and problem in OF_A_FILE:
        return str(OF_A_FILE[problem]) % {"file": file}
    return str(DETAILS[problem])
