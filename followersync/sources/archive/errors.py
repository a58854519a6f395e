"""Problems of an archive: codes, and the facts that their messages need."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """Stable codes; `wording` has the message of each."""

    NOT_AN_ARCHIVE = "archive_not_an_archive"
    ENCRYPTED = "archive_encrypted"
    DAMAGED = "archive_damaged"
    UNSAFE_PATH = "archive_unsafe_path"
    TOO_LARGE = "archive_too_large"
    BOMB = "archive_bomb"
    TOO_HEAVY = "archive_too_heavy"
    TOO_MANY_FILES = "archive_too_many_files"
    NO_FOLLOWER_LIST = "archive_no_follower_list"
    ONLY_THREADS = "archive_only_threads"
    ANOTHER_LIST = "archive_another_list"
    NAME_UNKNOWN = "archive_name_unknown"
    PACKED_INSIDE = "archive_packed_inside"
    PART_TWICE = "archive_part_twice"
    SEVERAL_EXPORTS = "archive_several_exports"
    WRONG_SHAPE = "archive_wrong_shape"
    AMBIGUOUS_NAMES = "archive_ambiguous_names"
    UNKNOWN_DATES = "archive_unknown_dates"
    FOREIGN_OWNER = "archive_foreign_owner"
    UNREACHABLE = "archive_unreachable"


class ArchiveError(Exception):
    """The archive cannot be read; nothing was taken from it.

    `member` is the file inside the archive and `facts` are for the message. Neither ever contains a
    follower's name: the error is logged and shown.
    """

    def __init__(self, problem: Problem, *, member: str = "", **facts: str | int) -> None:
        super().__init__(problem.value, member, facts)
        self.problem = problem
        self.code = problem.value
        self.member = member
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.member} {self.facts or ''}".strip()
