"""Before the site, as shipped, nginx and Caddy keep slow and large requests off and no secret."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import urllib3

from accounts.services.programs import issue_token
from tests.support import proxies
from tests.support.exports import Export, population
from tests.support.proxies import Proxy
from tests.support.sync import linked, without_runs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not proxies.KINDS, reason="neither nginx nor Caddy is installed here"),
]
ROOT = Path(__file__).resolve().parents[2]
SECRET = "AQB-the-code-that-nobody-may-read"


@pytest.fixture(params=proxies.KINDS)
def proxy(request, live_server, settings, tmp_path) -> Iterator[Proxy]:
    """Before the whole site."""
    settings.ALLOWED_HOSTS = ["localhost"]
    with proxies.running(request.param, live_server.thread.port, tmp_path) as running:
        yield running


def stored(folder: Path) -> int:
    """Bytes of bodies on the proxy's disk."""
    return sum(path.stat().st_size for path in folder.glob("client_body/**/*") if path.is_file())


@pytest.mark.django_db(transaction=True)
def test_pages_and_answers_come_through(proxy):
    status, page = proxy.ask("/")
    assert status == 200
    assert b"Threadsite" in page
    assert proxy.ask("/api/v1/accounts/")[0] == 401


@pytest.mark.django_db(transaction=True)
def test_a_body_larger_than_any_form_is_refused_by_the_proxy(proxy):
    assert proxy.ask("/auth/login/", method="POST", body=bytes(3 << 20))[0] == 413


ARCHIVES = {
    "/api/v1/accounts/1/imports/": (401, b'"code":"not_authenticated"'),
    "/transfer/blobs": (401, b'"error":"invalid_token"'),
    "/accounts/1/import/": (303, b""),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ARCHIVES)
def test_a_stranger_s_archive_is_refused_in_words_and_stored_nowhere(proxy, path):
    status, said = ARCHIVES[path]
    found, body = proxy.ask(path, method="POST", body=bytes(1000))
    assert (found, said in body) == (status, True), body

    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {200 << 20}\r\n\r\n"
    with proxy.socket(head.encode()) as upload:
        with suppress(OSError):  # it may have been refused before all of this is sent
            upload.sendall(bytes(8 << 20))
        assert stored(proxy.folder) == 0
        assert f" {status} ".encode() in upload.recv(100)


@pytest.mark.django_db(transaction=True)
def test_a_member_s_archive_arrives(proxy, alice, edge):
    account = without_runs(linked(alice, username="alice.ig"))
    token = issue_token(user=alice, scopes=["followers:write"])
    export = Export(population(70_000, seed=1), owner="alice.ig")
    form, boundary = urllib3.encode_multipart_formdata({"archive": (export.name, export.zip())})
    assert len(form) > 1 << 20  # more than any other request may bring

    status, answer = proxy.ask(
        f"/api/v1/accounts/{account.pk}/imports/",
        method="POST",
        body=form,
        Authorization=f"Bearer {token}",
        **{"Content-Type": boundary},
    )

    assert status in (201, 202), answer


@pytest.mark.django_db(transaction=True)
def test_the_question_whether_one_may_upload_is_not_for_visitors(proxy):
    assert proxy.ask("/may-upload")[0] == 404


@pytest.mark.django_db(transaction=True)
def test_no_code_no_key_and_no_token_is_logged(proxy):
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": f"sessionid={SECRET}"}
    headers |= {"Referer": f"https://localhost/?code={SECRET}"}
    for path in (
        f"/auth/instagram/login/callback/?code={SECRET}&state=x",
        f"/auth/password/reset/key/1-{SECRET}/",
        f"/auth/confirm-email/{SECRET}/?x=1",
    ):
        proxy.ask(path, **headers)
    proxy.ask(f"/auth/login/?next={SECRET}", method="POST", body=bytes(2 << 20))
    proxy.ask("/privacy/")

    logged = until_logged(proxy, "/privacy/")
    assert "/auth/instagram/login/callback/" in logged
    assert "/auth/password/reset/key/" in logged
    assert SECRET not in logged


@pytest.mark.parametrize("kind", proxies.KINDS)
def test_no_code_is_logged_when_the_site_is_away(kind, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        with proxies.running(kind, taken.getsockname()[1], tmp_path) as proxy:
            status, _body = proxy.ask(f"/auth/instagram/login/callback/?code={SECRET}")

            assert status == 502
            assert SECRET not in until_logged(proxy, "/auth/instagram/login/callback/")


def until_logged(proxy: Proxy, word: str) -> str:
    until = time.monotonic() + 10
    while word not in proxy.logs():
        assert time.monotonic() < until, proxy.logs()
        time.sleep(0.05)
    return proxy.logs()


@pytest.mark.parametrize("kind", proxies.KINDS)
def test_nobody_passes_for_another_address_or_for_https(kind, tmp_path):
    seen: list[dict[str, str]] = []

    class Recorder(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    Thread(target=upstream.serve_forever, daemon=True).start()
    try:
        with proxies.running(kind, upstream.server_address[1], tmp_path) as proxy:
            spoofed = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
            assert proxy.ask("/", **spoofed)[0] == 204
    finally:
        upstream.shutdown()
        upstream.server_close()

    assert seen[0]["X-Forwarded-For"] in ("127.0.0.1", "::1")
    assert seen[0]["X-Forwarded-Proto"] == "https"


@pytest.fixture(scope="module")
def two_threads() -> Iterator[int]:
    """gunicorn as we ship it, with two threads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "-c", "python:threadsite.server"),
        *("--workers", "1", "--threads", "2", "--bind", f"127.0.0.1:{port}"),
        "tests.support.echo:application",
    ]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.parametrize("kind", proxies.KINDS)
@pytest.mark.parametrize(
    "half",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-More: ",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx",
    ],
    ids=["heads", "bodies"],
)
def test_half_sent_requests_keep_nobody_waiting(kind, half, two_threads, tmp_path):
    with proxies.running(kind, two_threads, tmp_path) as proxy, ExitStack() as stack:
        for _number in range(30):
            stack.enter_context(proxy.socket(half))
        time.sleep(0.3)  # they are with the proxy; what it passes on it has passed on by then

        started = time.monotonic()
        for _number in range(3):
            assert proxy.ask("/")[0] == 200
        assert time.monotonic() - started < 3
