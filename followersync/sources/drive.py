"""Google Drive: the exports in a member's Drive, as an fsspec file system.

Instagram stores each one at the top of the Drive, as `meta-…/instagram-…/connections/…`. Only
folders with such names are read, and only lists are returned, although the permission allows more.
https://developers.google.com/drive/api/reference/rest/v3/files/list
"""

from __future__ import annotations

import logging
from typing import IO, Any, Final, TypeVar, cast
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from fsspec import AbstractFileSystem

from accounts.outbound.budget import within
from accounts.outbound.client import Answer, OutboundError, client_for_operator_url
from followersync.sources.folder import FolderError

logger = logging.getLogger(__name__)
Shape = TypeVar("Shape")

URL: Final = "gdrive://"
FOLDER: Final = "application/vnd.google-apps.folder"
FIELDS: Final = "nextPageToken,files(id,name,mimeType,size,md5Checksum,modifiedTime)"
AT_THE_TOP: Final = " and (name contains 'meta-' or name contains 'instagram-')"
LOOKED_INTO: Final = ("meta-", "instagram-", "connections", "followers_and_following")
LISTS: Final = (".zip", ".json", ".html")
MOST_PAGES: Final = 20
#: For a call that requests or revokes a token.
SECONDS: Final = 10.0
MOST_TOLD: Final = 64 << 10
#: A page of 1,000 files is about 300 kB.
MOST_LISTED: Final = 4 << 20


class _File(msgspec.Struct, rename="camel"):
    id: str
    name: str
    mime_type: str
    size: str = "0"
    md5_checksum: str | None = None
    modified_time: str | None = None


class _Files(msgspec.Struct, rename="camel"):
    files: list[_File]
    next_page_token: str | None = None


class _Token(msgspec.Struct):
    access_token: str


class _Consent(msgspec.Struct):
    scope: str = ""
    refresh_token: str = ""


for _shape in (_Files, _Token, _Consent):
    # msgspec learns a type at its first use, which is not thread-safe.
    msgspec.json.Decoder(_shape)


def exchange(code: str, *, redirect_uri: str, verifier: str | None) -> tuple[str, frozenset[str]]:
    """(refresh token, permissions) for an authorization code; a member may have unticked some.

    Raises FolderError: `revoked` where the code is refused.
    https://developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code
    """
    proof = {"code_verifier": verifier} if verifier else {}
    given = _token(
        _Consent,
        grant_type="authorization_code",
        code=code,
        redirect_uri=redirect_uri,
        **proof,
    )
    return given.refresh_token, frozenset(given.scope.split())


def access_token(refresh_token: str) -> str:
    """A token for an hour. Raises FolderError: `revoked` where the member revoked the consent."""
    return _token(_Token, refresh_token=refresh_token, grant_type="refresh_token").access_token


def revoke(refresh_token: str) -> None:
    """Revoke the consent. A failure is left to the member at Google, and is no error of ours."""
    try:
        status, _body = _post("/revoke", token=refresh_token)
    except OutboundError as error:
        logger.warning("Google could not be told of a revocation: %s", error.reason)
        return
    if status != 200:
        logger.info("Google answered a revocation with %s", status)


def _token(shape: type[Shape], **fields: str) -> Shape:
    try:
        status, body = _post(
            "/token",
            client_id=settings.GOOGLE_CLIENT_ID,
            client_secret=settings.GOOGLE_CLIENT_SECRET,
            **fields,
        )
    except OutboundError as error:
        raise FolderError(_slow(error)) from None
    if status in (400, 401):
        raise FolderError("revoked")
    if status != 200:
        raise FolderError("unreachable")
    return _decoded(body, shape)


class DriveFiles(AbstractFileSystem):  # type: ignore[misc]
    """Read only. Paths are names; of two files of one name the one changed last is used.

    Every method may raise FolderError, which fsspec's `walk` does not swallow as it does OSError.
    """

    protocol = "gdrive"
    cachable = False

    def __init__(self, refresh_token: str) -> None:
        super().__init__()
        self._client = client_for_operator_url()
        self._token = access_token(refresh_token)
        self._ids: dict[str, str] = {"": "root"}

    def ls(self, path: str, detail: bool = True, **_kwargs: Any) -> list[Any]:
        """Possible parts of an export; {"name", "type", "size", "md5Checksum", "modified"}."""
        folder = self._strip_protocol(path).strip("/")
        found: dict[str, dict[str, Any]] = {}
        for each in sorted(self._children(folder), key=lambda file: file.modified_time or ""):
            name = each.name.replace("/", "_")
            place = f"{folder}/{name}" if folder else name
            if _may_belong_to_export(each):
                self._ids[place] = each.id
                found[place] = _described(each, place)
        return list(found.values()) if detail else list(found)

    def _open(self, path: str, mode: str = "rb", **_kwargs: Any) -> IO[bytes]:
        file = self._ids[self._strip_protocol(path).strip("/")]
        return cast("IO[bytes]", self._get(f"/drive/v3/files/{file}", {"alt": "media"}))

    def _children(self, folder: str) -> list[_File]:
        query = f"'{self._ids[folder]}' in parents and trashed = false"
        asked = {"q": query if folder else query + AT_THE_TOP, "fields": FIELDS, "pageSize": "1000"}
        files: list[_File] = []
        for _page in range(MOST_PAGES):
            page = _decoded(self._get("/drive/v3/files", asked).body(MOST_LISTED), _Files)
            files += page.files
            if page.next_page_token is None:
                return files
            asked["pageToken"] = page.next_page_token
        raise FolderError("too_many")

    def _get(self, route: str, asked: dict[str, str]) -> Answer:
        """A 200 answer; may raise OutboundError too."""
        answer = self._client.send(
            "GET",
            f"{settings.GOOGLE_API_URL}{route}?{urlencode(asked)}",
            headers={"Authorization": f"Bearer {self._token}"},
        )
        if answer.status == 200:
            return answer
        answer.close()
        # 403 also means a rate limit, which is temporary.
        raise FolderError("revoked" if answer.status == 401 else "unreachable")


def _may_belong_to_export(file: _File) -> bool:
    if file.mime_type == FOLDER:
        return file.name.startswith(LOOKED_INTO)
    return file.name.lower().endswith(LISTS)


def _described(file: _File, place: str) -> dict[str, Any]:
    return {
        "name": place,
        "type": "directory" if file.mime_type == FOLDER else "file",
        "size": int(file.size),
        "md5Checksum": file.md5_checksum,
        "modified": file.modified_time,
    }


def _decoded(data: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise FolderError("unreachable") from None


def _post(route: str, **fields: str) -> tuple[int, bytes]:
    """(status, body). Raises OutboundError."""
    with within(seconds=SECONDS, most_bytes=2 * MOST_TOLD):
        answer = client_for_operator_url().send(
            "POST",
            f"{settings.GOOGLE_TOKEN_URL}{route}",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(fields),
        )
        return answer.status, answer.body(MOST_TOLD)


def _slow(error: OutboundError) -> str:
    return "too_slow" if error.reason == "too_slow" else "unreachable"
