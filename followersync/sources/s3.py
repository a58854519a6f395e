"""S3 through botocore, whose every request goes over our own HTTP client. Read only.

botocore signs, picks the address of the bucket and reads the answer; `before-send` is its own
event for whoever sends in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Final, cast

import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from fsspec import AbstractFileSystem

from accounts.outbound.client import Client
from followersync.sources.xml_guard import checked

#: Asked of a server that is not Amazon's, which mostly does not care.
DEFAULT_REGION: Final = "us-east-1"
#: The only call whose answer is no XML, and is read as a stream.
FILES: Final = "GetObject"


class S3Files(AbstractFileSystem):  # type: ignore[misc]
    """Paths are `bucket/key`. `options`: key, secret, token, endpoint_url, region, anon.

    Without a key botocore looks for the machine's own, unless `anon`. Methods that ask may raise
    OutboundError or botocore's ClientError; more than `most` objects are a ValueError.
    """

    protocol = "s3"
    cachable = False

    def __init__(self, options: Mapping[str, Any], client: Client, *, most: int) -> None:
        super().__init__()
        self._most = most
        self._s3 = _client(options)
        self._s3.meta.events.register("before-send.s3", _sender(client))

    def find(
        self, path: str, maxdepth: int | None = None, detail: bool = False, **_kwargs: Any
    ) -> Any:
        """{path: {"name", "type", "size", "ETag", "LastModified"}} of all objects below `path`."""
        bucket, _, prefix = path.strip("/").partition("/")
        below = f"{prefix}/" if prefix else ""
        found: dict[str, dict[str, Any]] = {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
        for page in pages:
            for each in page.get("Contents", ()):
                inner = each["Key"].removeprefix(below)
                if inner and not inner.endswith("/") and inner.count("/") < (maxdepth or 1 << 30):
                    found[f"{bucket}/{each['Key']}"] = _described(bucket, each)
            if len(found) > self._most:
                raise ValueError("too many objects")
        return found if detail else sorted(found)

    def _open(self, path: str, mode: str = "rb", **_kwargs: Any) -> IO[bytes]:
        bucket, _, key = path.strip("/").partition("/")
        return cast("IO[bytes]", self._s3.get_object(Bucket=bucket, Key=key)["Body"])


class _Whole:
    """An answer that was read, in the form that botocore wants to read it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._data


def _described(bucket: str, each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{bucket}/{each['Key']}",
        "type": "file",
        "size": each["Size"],
        "ETag": each.get("ETag"),
        "LastModified": each.get("LastModified"),
    }


def _client(options: Mapping[str, Any]) -> Any:
    """botocore's client; it asks once, and does not look for a newer region of its own accord."""
    config = Config(
        retries={"total_max_attempts": 1},
        signature_version=UNSIGNED if options.get("anon") else None,
    )
    return botocore.session.get_session().create_client(
        "s3",
        region_name=options.get("region") or DEFAULT_REGION,
        endpoint_url=options.get("endpoint_url"),
        aws_access_key_id=options.get("key"),
        aws_secret_access_key=options.get("secret"),
        aws_session_token=options.get("token"),
        config=config,
    )


def _sender(client: Client) -> Callable[..., AWSResponse]:
    def send(request: AWSPreparedRequest, event_name: str, **_event: Any) -> AWSResponse:
        headers = {
            name: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        answer = client.send(request.method, request.url, headers=headers, body=request.body)
        if event_name.endswith(FILES) and answer.status < 300:
            return AWSResponse(request.url, answer.status, answer.headers, answer)
        with answer:
            whole = checked(b"".join(answer.stream()))
        return AWSResponse(request.url, answer.status, answer.headers, _Whole(whole))

    return send
