"""Routing of transferred files: which files are of use, and to which account they belong."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from accounts.errors import InvalidInput, ThreadsiteError
from accounts.scopes import Scope
from accounts.selectors import accounts_of, consents_in_force
from followersync.services.imports import ownership, requests
from followersync.sources.archive import Problem
from followersync.sources.archive import owner as stated_owner
from followersync.sources.folder import LISTS

if TYPE_CHECKING:
    from typing import IO

    from accounts.models import LinkedAccount, User

_LIST: Final = re.compile(r"(followers|following)(_\d{1,6})?\.(json|html)", re.I)
LONGEST_PATH: Final = 500


class NobodyToReceive(ThreadsiteError):
    """The member has no linked account whose lists may be stored."""

    code = "session_invalidated"


@dataclass(frozen=True, slots=True)
class UsableFile:
    """A usable file. `export`: the folder of the unpacked export around it, or the zip itself."""

    path: str
    export: str
    zipped: bool


def classify(place: PurePosixPath) -> UsableFile | None:
    """The kind of file by its path; None where it is neither a zip nor one of the lists."""
    parts = [part for part in place.parts if part not in ("/", ".", "..")]
    path = PurePosixPath(*parts) if parts else place
    if not parts or len(str(path)) > LONGEST_PATH or "__MACOSX" in parts:
        return None
    if path.suffix.lower() == ".zip":
        return UsableFile(str(path), str(path), True)
    if LISTS not in parts[:-1] or not _LIST.fullmatch(path.name):
        return None
    above = parts[: parts.index(LISTS)]
    outer = above[:-1] if above and above[-1] == "connections" else above
    return UsableFile(str(path), str(PurePosixPath(*outer)) if outer else ".", False)


def account_for(member: User, item: UsableFile, content: IO[bytes]) -> LinkedAccount | None:
    """The account whose list this is; None for a zip that is none.

    The names of the archive and of the folders around it state the owner. Where they do not, it is
    the member's only account, since they sent it here themselves; with several, nothing is guessed.
    The content of a zip is read in the queue: until then one without a name waits with the first of
    several accounts (see `owner_of`). Raises NobodyToReceive, and InvalidInput for files of no
    account of the member's.
    """
    accounts = _receiving(member)
    if not accounts:
        raise NobodyToReceive
    if item.zipped:
        try:
            requests.check_form(content, PurePosixPath(item.path).name)
        except InvalidInput:
            return None
    name = stated_owner.in_names(PurePosixPath(item.path).name, item.path).owner
    if name is None and (len(accounts) == 1 or item.zipped):
        return accounts[0]
    return _called(accounts, name)


def owner_of(account: LinkedAccount, name: str | None) -> LinkedAccount:
    """The account of a zip that waits with this account, once it was read.

    `name`: the owner stated in it. For a member's only account it may be a new name, which the
    import asks about. Raises InvalidInput where it is none of several accounts.
    """
    accounts = _receiving(account.owner)
    if len(accounts) <= 1:
        return account
    return _called(accounts, name)


def _receiving(member: User) -> list[LinkedAccount]:
    return [
        account
        for account in accounts_of(member).filter(unlinked_at__isnull=True)
        if Scope.FOLLOWERS in consents_in_force(account)
    ]


def _called(accounts: list[LinkedAccount], name: str | None) -> LinkedAccount:
    for account in accounts:
        if account.username.lower() == name:
            return account
    raise ownership.refused(Problem.FOREIGN_OWNER)


def fingerprint(content: IO[bytes]) -> tuple[str, int]:
    """SHA-256 and size in bytes."""
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
    return digest, content.tell()
