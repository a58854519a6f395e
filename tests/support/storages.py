"""The three kinds of storage that files are kept in, each for real."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

KEYS = {"key": "AKIATEST", "secret": "s3-secret"}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A server that speaks S3, and is emptied by each test that asks for a bucket."""
    from moto.server import ThreadedMotoServer

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str) -> dict[str, str]:
    """The options of an empty bucket called `site`."""
    import boto3

    urlopen(Request(f"{s3_endpoint}/moto-api/reset", data=b"", method="POST"), timeout=10).close()
    names = {"aws_access_key_id": KEYS["key"], "aws_secret_access_key": KEYS["secret"]}
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1", **names)
    client.create_bucket(Bucket="site")
    return KEYS | {"endpoint_url": s3_endpoint}


@pytest.fixture(params=["folder", "database", "s3"])
def kept_in(request, settings, tmp_path: Path) -> str:
    """Files are kept there for this test."""
    if request.param == "folder":
        settings.FILES_URL = (tmp_path / "shared").as_uri()
    elif request.param == "database":
        settings.FILES_URL = "database:"
    else:
        settings.FILES_URL = "s3://site/threadsite"
        settings.FILES_OPTIONS = request.getfixturevalue("bucket")
    return str(request.param)


@pytest.fixture
def on_host(settings, tmp_path: Path) -> Callable[[str], None]:
    """Go on as another host: with a disk of its own."""

    def switch(name: str) -> None:
        settings.HOST_NAME = name
        settings.THREADSITE_HOME = tmp_path / name

    return switch
