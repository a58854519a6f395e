"""S3 client: botocore with all requests sent by our own HTTP client.

botocore signs, selects the address of the bucket and reads the answer; its `before-send` event lets
us send in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import IO, Any, Final, cast

import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader
from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from accounts.outbound.client import Client, OutboundError
from accounts.outbound.xml_guard import checked

#: The region for servers other than Amazon's, most of which ignore it.
DEFAULT_REGION: Final = "us-east-1"
#: The only call whose answer is not XML and is read as a stream.
FILES: Final = "GetObject"
_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchBucket", "NotFound", "404"})


class S3Files(AbstractFileSystem):  # type: ignore[misc]
    """Paths are `bucket/key`. `options`: key, secret, token, endpoint_url, region, anon.

    Without a key botocore looks for the machine's own, unless `anon`. Reading may raise
    OutboundError or botocore's ClientError; more than `most` objects are a ValueError. Writing,
    ranges and deleting raise OutboundError, and FileNotFoundError for what is not there.
    """

    protocol = "s3"
    cachable = False

    def __init__(self, options: Mapping[str, Any], client: Client, *, most: int) -> None:
        super().__init__()
        self._most = most
        self.s3 = _client(options)
        self.s3.meta.events.register("before-send.s3", _sender(client))

    def find(
        self, path: str, maxdepth: int | None = None, detail: bool = False, **_kwargs: Any
    ) -> Any:
        """{path: {"name", "type", "size", "ETag", "LastModified"}} of all objects below `path`."""
        bucket, _, prefix = path.strip("/").partition("/")
        below = f"{prefix}/" if prefix else ""
        found: dict[str, dict[str, Any]] = {}
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
        for page in pages:
            for each in page.get("Contents", ()):
                inner = each["Key"].removeprefix(below)
                if inner and not inner.endswith("/") and inner.count("/") < (maxdepth or 1 << 30):
                    found[f"{bucket}/{each['Key']}"] = _described(bucket, each)
            if len(found) > self._most:
                raise ValueError("too many objects")
        return found if detail else sorted(found)

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_kwargs: Any
    ) -> bytes:
        """Bytes [start, end) of one object; b"" beyond its end."""
        bucket, _, key = path.strip("/").partition("/")
        last = "" if end is None else str(end - 1)
        with _named():
            try:
                answer = self.s3.get_object(
                    Bucket=bucket, Key=key, Range=f"bytes={start or 0}-{last}"
                )
            except ClientError as error:
                if _code(error) == "InvalidRange":
                    return b""
                raise
            return b"".join(iter(lambda: answer["Body"].read(1 << 20), b""))

    def rm_file(self, path: str) -> None:
        bucket, _, key = path.strip("/").partition("/")
        with _named():
            self.s3.delete_object(Bucket=bucket, Key=key)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """A bucket has no folders."""

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, **_kwargs: Any
    ) -> IO[bytes]:
        if mode == "wb":
            return cast("IO[bytes]", S3Upload(self, path, mode, block_size=block_size))
        bucket, _, key = path.strip("/").partition("/")
        return cast("IO[bytes]", self.s3.get_object(Bucket=bucket, Key=key)["Body"])


class _Whole:
    """An answer already read, in the interface that botocore expects."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._data


class S3Upload(AbstractBufferedFile):  # type: ignore[misc]
    """An upload in parts, visible with the last one; a small object takes one request."""

    def _initiate_upload(self) -> None:
        bucket, _, key = self.path.strip("/").partition("/")
        self.place: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self.parts: list[dict[str, Any]] = []
        self.upload = ""

    def _upload_chunk(self, final: bool = False) -> bool:
        data = self.buffer.getvalue()
        with _named():
            if final and not self.upload:
                self.fs.s3.put_object(**self.place, Body=data)
                return True
            if not self.upload:
                self.upload = self.fs.s3.create_multipart_upload(**self.place)["UploadId"]
            if data:
                self._send_part(data)
            if final:
                self.fs.s3.complete_multipart_upload(
                    **self.place, UploadId=self.upload, MultipartUpload={"Parts": self.parts}
                )
        return True

    def _send_part(self, data: bytes) -> None:
        number = len(self.parts) + 1
        answer = self.fs.s3.upload_part(
            **self.place, UploadId=self.upload, PartNumber=number, Body=data
        )
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def discard(self) -> None:
        if getattr(self, "upload", ""):
            with _named():
                self.fs.s3.abort_multipart_upload(**self.place, UploadId=self.upload)


@contextmanager
def _named() -> Iterator[None]:
    """Translate botocore's errors, which contain the whole request, into ours."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in _ABSENT:
            raise FileNotFoundError(code) from None
        raise OutboundError(code) from None
    except BotoCoreError as error:
        raise OutboundError(type(error).__name__) from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _described(bucket: str, each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{bucket}/{each['Key']}",
        "type": "file",
        "size": each["Size"],
        "ETag": each.get("ETag"),
        "LastModified": each.get("LastModified"),
    }


def _client(options: Mapping[str, Any]) -> Any:
    """A botocore client without retries."""
    config = Config(
        retries={"total_max_attempts": 1},
        signature_version=UNSIGNED if options.get("anon") else None,
    )
    session = botocore.session.get_session()
    session.register_component("data_loader", _descriptions())
    return session.create_client(
        "s3",
        region_name=options.get("region") or DEFAULT_REGION,
        endpoint_url=options.get("endpoint_url"),
        aws_access_key_id=options.get("key"),
        aws_secret_access_key=options.get("secret"),
        aws_session_token=options.get("token"),
        config=config,
    )


@cache
def _descriptions() -> Loader:
    """botocore's files about S3, a megabyte of JSON that each session would read anew."""
    return create_loader()


def _sender(client: Client) -> Callable[..., AWSResponse]:
    def send(request: AWSPreparedRequest, event_name: str, **_event: Any) -> AWSResponse:
        headers = {
            name: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        body = request.body if isinstance(request.body, (bytes, str, type(None))) else _all(request)
        answer = client.send(request.method, request.url, headers=headers, body=body)
        if event_name.endswith(FILES) and answer.status < 300:
            return AWSResponse(request.url, answer.status, answer.headers, answer)
        with answer:
            whole = checked(b"".join(answer.stream()))
        return AWSResponse(request.url, answer.status, answer.headers, _Whole(whole))

    return send


def _all(request: AWSPreparedRequest) -> bytes:
    """The bytes to send: botocore wraps them in a file when it computes a checksum."""
    # audit: unbounded-read: what we send, at most a piece of a file
    data: bytes = request.body.read()
    return data
