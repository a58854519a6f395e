"""WebDAV through webdav4, with every request sent by our own HTTP client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from webdav4.fsspec import WebdavFileSystem

from accounts.outbound.client import Answer, Client
from accounts.outbound.xml_guard import checked

#: Headers of httpx about its own connection, which our client sets itself.
_OURS: Final = frozenset({"host", "connection", "accept-encoding", "content-length"})
MOST_REDIRECTS: Final = 5
#: Everything but files is read whole: listings, errors, redirects.
MOST_IN_MEMORY: Final = 16 << 20


def webdav_files(
    url: str, options: Mapping[str, Any], client: Client
) -> tuple[WebdavFileSystem, str]:
    """The file system, and the folder in it. `webdavs://` is https; `options`: username, password.

    Each redirect is a new request, whose address is checked like the first one's.
    """
    parts = urlsplit(url)
    scheme = "https" if parts.scheme == "webdavs" else "http"
    auth = (options["username"], options["password"]) if "username" in options else None
    files = WebdavFileSystem(
        f"{scheme}://{parts.netloc}",
        auth=auth,
        transport=_Transport(client),
        max_redirects=MOST_REDIRECTS,
        # webdav4 would wait and retry; the queue does that, with longer pauses.
        retry=False,
        skip_instance_cache=True,
    )
    return files, parts.path.strip("/")


class _Transport(httpx.BaseTransport):
    """May raise OutboundError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _OURS}
        # audit: unbounded-read: what webdav4 asks, not what it is answered
        asked = request.read()
        answer = self._client.send(
            request.method, str(request.url), headers=headers, body=asked or None
        )
        told = {k: v for k, v in answer.headers.items() if k.lower() != "content-encoding"}
        if request.method == "GET" and answer.status < 300:
            return httpx.Response(answer.status, headers=told, stream=_Body(answer))
        with answer:
            whole = checked(b"".join(answer.stream(most=MOST_IN_MEMORY)))
        return httpx.Response(answer.status, headers=told, content=whole)


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.stream(most=None)

    def close(self) -> None:
        self._answer.close()
