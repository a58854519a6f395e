"""Slow clients do not keep the site from everybody else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.echo import LARGE
from threadsite import worker
from threadsite.worker import PatientSocket

pytestmark = pytest.mark.slow  # a server of its own, and spans of time that pass

ROOT = Path(__file__).resolve().parents[2]
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-More: "
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """gunicorn with our settings, one process of two threads, and 1 s for each request."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "-c", "python:threadsite.server"),
        *("--workers", "1", "--threads", "2", "--bind", f"127.0.0.1:{number}"),
        "tests.support.echo:application",
    ]
    environment = {**os.environ, "REQUEST_SECONDS": "1"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait_for(number)
        yield number
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(number: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", number)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("gunicorn does not answer")


def ask(port: int, body: bytes | None = None, timeout: float = 5) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=body, timeout=timeout) as answer:
        data: bytes = answer.read()
        return data


def half_sent(stack: ExitStack, port: int, begun: bytes, count: int) -> list[socket.socket]:
    opened = []
    for _number in range(count):
        client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        client.sendall(begun)
        opened.append(client)
    return opened


def test_half_sent_heads_take_no_thread(port):
    """Sixteen times as many as there are threads; the honest one is answered meanwhile."""
    with ExitStack() as stack:
        slow = half_sent(stack, port, HALF_A_HEAD, 32)
        began = time.monotonic()

        assert ask(port) == b"0"
        assert time.monotonic() - began < 0.9  # before the first of them is given up

        with suppress(ConnectionResetError):  # and then they are
            assert slow[0].recv(1) == b""


def test_connections_that_send_nothing_take_no_thread(port):
    with ExitStack() as stack:
        half_sent(stack, port, b"", 32)
        began = time.monotonic()

        assert ask(port) == b"0"
        assert time.monotonic() - began < 0.9


def test_half_sent_bodies_are_given_up_in_time(port):
    with ExitStack() as stack:
        half_sent(stack, port, HALF_A_BODY, 4)

        assert ask(port, timeout=8) == b"0"


@pytest.mark.parametrize("place", [b"/large", b"/file"])
def test_answers_that_nobody_takes_are_given_up_in_time(port, place):
    with ExitStack() as stack:
        half_sent(stack, port, b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % place, 4)
        time.sleep(0.3)  # not for luck: both threads have begun to answer

        assert ask(port, timeout=8) == b"0"


@pytest.mark.parametrize("place", ["/large", "/file"])
def test_a_large_answer_is_given_whole(port, place):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{place}", timeout=10) as answer:
        assert len(answer.read()) == LARGE


@pytest.mark.parametrize("header", ["SCRIPT_NAME: /elsewhere", "PATH_INFO: /large"])
def test_a_visitor_does_not_say_where_the_site_lies(port, header):
    """gunicorn believes these of whoever comes from this machine, as through a proxy."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        head = f"GET /where HTTP/1.1\r\nHost: localhost\r\n{header}\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode())

        assert client.makefile("rb").read().endswith(b"\r\n\r\n/where")


def test_an_answer_earns_its_time_by_its_bytes_and_a_drip_does_not():
    moment = [0.0]
    ours, theirs = socket.socketpair()
    with PatientSocket(fileno=ours.detach()) as client, theirs:
        client.now = lambda: moment[0]
        client.sendall(b"x" * 1_000)
        assert theirs.recv(2_000) == b"x" * 1_000
        assert client.patience == worker.REQUEST_SECONDS

        client.patience = 0.01
        with pytest.raises(ConnectionResetError):
            client.sendall(b"x" * LARGE)


def test_a_head_that_comes_in_pieces_is_answered(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        for piece in (b"GET / HT", b"TP/1.1\r\nHost: localhost\r\n", b"Connection: close\r\n\r\n"):
            client.sendall(piece)
            time.sleep(0.1)  # not for luck: the pieces must arrive one by one

        assert client.makefile("rb").read().endswith(b"0")


def test_a_connection_is_kept_and_each_request_has_its_own_time(port):
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as client:
        client.connect()
        first = client.sock
        for _number in range(3):
            client.request("POST", "/", b"abc")
            assert client.getresponse().read() == b"3"
            assert client.sock is first
            time.sleep(0.6)  # together more than one request may take


def test_a_large_body_is_taken(port):
    assert ask(port, b"x" * 3_000_000) == b"3000000"


def test_an_upload_earns_its_time_by_its_bytes_and_a_drip_does_not():
    moment = [0.0]
    ours, theirs = socket.socketpair()
    with PatientSocket(fileno=ours.detach()) as client, theirs:
        client.now = lambda: moment[0]
        theirs.sendall(b"x" * 65_536)
        moment[0] += worker.REQUEST_SECONDS - 1
        received = 0
        while received < 65_536:
            received += len(client.recv(65_536))
        assert client.until == 2 * worker.REQUEST_SECONDS - 1 + 65_536 / worker.BYTES_A_SECOND

        moment[0] = client.until - 0.001
        theirs.sendall(b"x")
        assert client.recv(10) == b"x"
        moment[0] += 0.01
        theirs.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            client.recv(10)
