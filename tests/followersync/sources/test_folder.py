"""Folders that fill by themselves: what is new in them, over each protocol with a real server."""

from __future__ import annotations

import io
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from accounts.outbound.client import Client
from followersync.sources.archive import open_archive
from followersync.sources.folder import (
    MOST_LISTED,
    Folder,
    FolderError,
    Item,
    check_url,
    exports,
    waiting,
)
from tests.support.dripping import DRIPS, FLOOD, endless
from tests.support.exports import Export, merged, population

DRIVE = "meta-2026-Aug-{day:02}-09-04-51"
LISTS = "connections/followers_and_following/followers_1.json"


def item(path: str, mark: str = "1") -> Item:
    return Item(path, 10, mark)


def test_zips_and_unpacked_exports_are_found_and_everything_else_is_not():
    found = exports(
        [
            item("instagram-alice.there-2026-08-01-aaaaaaaa.zip"),
            item(f"meta-2026-Aug-02-09-04-51/instagram-alice.there-2026-08-02-bbbbbbbb/{LISTS}"),
            item(f"holiday/{LISTS}"),
            item("holiday/photo.jpg"),
            item("__MACOSX/x.zip"),
            item(".hidden.zip"),
            item("letters/followers_1.json"),
        ]
    )

    assert {each.path: each.zipped for each in found} == {
        "instagram-alice.there-2026-08-01-aaaaaaaa.zip": True,
        "meta-2026-Aug-02-09-04-51/instagram-alice.there-2026-08-02-bbbbbbbb": False,
        "holiday": False,
    }


def test_each_export_is_offered_once_and_again_only_when_it_has_changed():
    items = [item(f"instagram-a-2026-08-0{day}-aaaaaaaa.zip") for day in (3, 1, 2)]
    first = waiting(items, [])
    taken = [(each.path, each.mark) for each in first]

    assert [each.path[-19:-13] for each in first] == ["-08-01", "-08-02", "-08-03"]
    assert waiting(items, taken) == []
    changed = waiting([*items[:2], item(items[2].path, "2")], taken)
    assert [each.path for each in changed] == [items[2].path]


def test_photos_that_arrive_later_make_an_export_no_other():
    lists = item(f"instagram-a-2026-08-01-aaaaaaaa/{LISTS}")
    photo = item("instagram-a-2026-08-01-aaaaaaaa/media/1.jpg")

    assert waiting([lists], []) == waiting([lists, photo], [])


@pytest.mark.parametrize(
    "url",
    ["http://x/y", "ftp://x/y", "s3://key:secret@bucket/x", "file:///etc", "local", "github://a/b"],
)
def test_addresses_that_name_a_secret_or_reach_elsewhere_are_refused(url):
    with pytest.raises(FolderError):
        check_url(url, local_allowed=False)


class Store:
    """Somewhere to lay exports down, and the address under which they are watched."""

    def __init__(self, url: str, options: dict[str, Any], put: Any) -> None:
        self.url, self.options, self.put = url, options, put


@pytest.fixture
def local(tmp_path: Path) -> Store:
    root = tmp_path / "exports"
    root.mkdir()
    return Store(f"file://{root}", {}, lambda path, data: _write(root / path, data))


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Store]:
    from cheroot import wsgi
    from wsgidav.wsgidav_app import WsgiDAVApp

    root = tmp_path / "dav"
    (root / "exports").mkdir(parents=True)
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": str(root)},
            "simple_dc": {"user_mapping": {"*": {"alice": {"password": "dav-secret"}}}},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    server = wsgi.Server(("127.0.0.1", _port()), app)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    options = {"username": "alice", "password": "dav-secret"}
    yield Store(
        f"webdav://127.0.0.1:{server.bind_addr[1]}/exports",
        options,
        lambda path, data: _write(root / "exports" / path, data),
    )
    server.stop()
    thread.join(10)


@pytest.fixture
def s3() -> Iterator[Store]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", _port(), verbose=False)
    server.start()
    endpoint = f"http://127.0.0.1:{server._port}"
    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "s3-secret"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    # Servers of one process share their buckets.
    urlopen(Request(f"{endpoint}/moto-api/reset", data=b"", method="POST"), timeout=10).close()
    client.create_bucket(Bucket="alices-exports")
    options = {"key": "AKIATEST", "secret": "s3-secret", "endpoint_url": endpoint}
    yield Store(
        "s3://alices-exports/instagram",
        options,
        lambda path, data: client.put_object(
            Bucket="alices-exports", Key=f"instagram/{path}", Body=data
        ),
    )
    server.stop()


@pytest.fixture(params=["local", "webdav", "s3"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


def test_daily_exports_are_read_from_the_members_own_storage(store: Store):
    lists = [population(30, seed=seed) for seed in range(3)]
    for number, followers in enumerate(lists):
        export = Export(followers, day=date(2026, 8, 1) + timedelta(days=number))
        if number == 1:
            outer = f"{DRIVE.format(day=number + 1)}/{export.name.removesuffix('.zip')}"
            for path, data in export.files().items():
                store.put(f"{outer}/{path}", data)
        else:
            store.put(export.name, export.zip())
    folder = Folder(store.url, store.options)

    found = waiting(folder.items(), [])

    assert len(found) == 3
    for each, followers in zip(found, lists, strict=True):
        file = io.BytesIO()
        folder.fetch(each, file)
        archive = open_archive(file, name=each.name)
        assert archive.owner_username == "alice.there"
        assert merged(archive) == followers
    taken = [(each.path, each.mark) for each in found]
    assert waiting(Folder(store.url, store.options).items(), taken) == []


def test_a_wrong_password_is_said_to_be_one_and_appears_in_no_error(webdav: Store):
    with pytest.raises(FolderError) as refused:
        Folder(webdav.url, {"username": "alice", "password": "wrong-secret"}).items()

    assert refused.value.code == "forbidden"
    assert "wrong-secret" not in repr(refused.value)
    assert refused.value.__cause__ is None


OVER_HTTP = {
    "webdav": lambda server: (f"webdav://127.0.0.1:{server.port}/x", {}),
    "s3": lambda server: ("s3://bucket/x", {"anon": True, "endpoint_url": server.url}),
}


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_members_folder_in_our_own_network_is_not_spoken_to(kind):
    with endless(*FLOOD) as server:
        url, options = OVER_HTTP[kind](server)
        with pytest.raises(FolderError) as refused:
            Folder(url, options, client=Client(public_only=True)).items()

        assert (refused.value.code, server.connections) == ("not_public", 0)


def test_a_redirect_into_our_own_network_is_not_followed(monkeypatch):
    """The client is asked for each request anew: here the second one is no https any more."""
    asked: list[str] = []

    class Redirecting(Client):
        def send(self, method: str, url: str, **kwargs: Any) -> Any:
            asked.append(url)
            if len(asked) == 1:
                return Client(public_only=False).send(method, server.url, **kwargs)
            return super().send(method, url, **kwargs)

    away = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    with endless(away, b"") as server, pytest.raises(FolderError) as refused:
        Folder("webdavs://dav.example.org/x", client=Redirecting(public_only=True)).items()

    assert (refused.value.code, asked[1]) == ("not_public", "http://127.0.0.1:9/")


@pytest.mark.parametrize("where", DRIPS)
@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_folder_that_drips_is_left_at_the_deadline(kind, where):
    with endless(*DRIPS[where]) as server:
        url, options = OVER_HTTP[kind](server)
        began = time.monotonic()
        with pytest.raises(FolderError) as refused:
            Folder(url, options).items(seconds=0.5)
        took = time.monotonic() - began

    assert refused.value.code == "too_slow"
    assert took < 5


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_list_without_end_is_left_at_the_byte_limit(kind):
    with endless(*FLOOD, pause=0) as server:
        url, options = OVER_HTTP[kind](server)
        with pytest.raises(FolderError) as refused:
            Folder(url, options).items(seconds=60)
        sent = server.sent

    assert refused.value.code == "too_many"
    assert sent < MOST_LISTED + (16 << 20)


SWOLLEN = {
    "entities": (b'<!DOCTYPE x [<!ENTITY a "%s">]>' % (b"a" * 100_000), b"&a;" * 1_000),
    "elements": (b"", b"<a/>" * 700_000),
    "depth": (b"", b"<a>" * 300_000 + b"</a>" * 300_000),
    "attributes": (b"", b"<a %s/>" % b" ".join(b'a%d=""' % n for n in range(300_000))),
}
OF_LISTS = {
    "webdav": (b"207 Multi-Status", b'<d:multistatus xmlns:d="DAV:">', b"</d:multistatus>"),
    "s3": (b"200 OK", b"<ListBucketResult>", b"</ListBucketResult>"),
}


@pytest.mark.slow
@pytest.mark.parametrize("swollen", SWOLLEN)
@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_list_that_swells_when_it_is_read_fills_no_memory(kind, swollen):
    """Fifteen megabytes of it made a worker take nine hundred."""
    status, begin, end = OF_LISTS[kind]
    declared, inside = SWOLLEN[swollen]
    padding = b"<!--" + b"p" * 3_000_000 + b"-->" if declared else b""
    body = b'<?xml version="1.0"?>' + declared + begin + padding + inside + end
    head = b"HTTP/1.1 %s\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n"
    with endless(head % (status, len(body)) + body, b"") as server:
        url, options = OVER_HTTP[kind](server)
        tracemalloc.start()
        with pytest.raises(FolderError):
            Folder(url, options).items()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert peak < 4 * len(body) + (24 << 20)  # botocore itself takes some


@pytest.mark.parametrize("kind", ["webdav", "s3"])
def test_a_file_that_drips_is_left_at_the_deadline(kind, request):
    """Listed by an honest server, then fetched from one that never ends."""
    store: Store = request.getfixturevalue(kind)
    name = "instagram-alice.there-2026-08-01-dripping.zip"
    store.put(name, b"PK" * 500)
    found = waiting(Folder(store.url, store.options).items(), [])
    export = next(each for each in found if each.path == name)

    class Dripping(Client):
        def send(self, method: str, url: str, **kwargs: Any) -> Any:
            if method == "GET" and ".zip" in url:
                url = server.url
            return super().send(method, url, **kwargs)

    with endless(*DRIPS["body"]) as server:
        folder = Folder(store.url, store.options, client=Dripping(public_only=False))
        with pytest.raises(FolderError) as refused:
            folder.fetch(export, io.BytesIO(), seconds=0.6)

    assert refused.value.code == "too_slow"


def test_a_server_that_is_away_is_said_to_be_unreachable():
    with pytest.raises(FolderError) as refused:
        Folder(f"webdav://127.0.0.1:{_port()}/x", {"username": "a", "password": "b"}).items()

    assert refused.value.code == "unreachable"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
