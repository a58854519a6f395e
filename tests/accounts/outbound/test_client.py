"""One HTTP client: a total deadline, a byte limit, and a connection to the address looked at."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from accounts.outbound import addresses
from accounts.outbound.budget import within
from accounts.outbound.client import Client, OutboundError
from tests.support.dripping import DRIPS, FLOOD, endless

ANY = Client(public_only=False)
MEMBERS = Client(public_only=True)
MIB = 1 << 20


def fetch(url: str, *, seconds: float = 0.4, most: int = MIB, client: Client = ANY) -> bytes:
    with within(seconds=seconds, most_bytes=most):
        return client.send("GET", url, headers={}).body(most)


@pytest.mark.parametrize("where", DRIPS)
def test_a_server_that_drips_is_left_at_the_deadline_wherever_it_drips(where):
    with endless(*DRIPS[where]) as server:
        began = time.monotonic()
        with pytest.raises(OutboundError) as refused:
            fetch(server.url)
        took = time.monotonic() - began

    assert refused.value.reason == "too_slow"
    assert took < 3  # far below the 20 s that a limit for each read would have granted each byte


def test_a_server_that_never_stops_is_left_at_the_byte_limit():
    with endless(*FLOOD, pause=0) as server:
        with pytest.raises(OutboundError) as refused:
            fetch(server.url, seconds=30, most=MIB)
        sent = server.sent

    assert refused.value.reason == "too_large"
    # What the kernel's buffers hold comes on top of what was read.
    assert sent < 16 * MIB


def test_headers_without_end_are_paid_for_too():
    with (
        endless(*DRIPS["status"], pause=0) as server,
        pytest.raises(OutboundError) as refused,
    ):
        fetch(server.url, seconds=30, most=10_000)

    assert refused.value.reason in ("too_large", "ProtocolError")


def test_several_calls_share_one_deadline():
    first, again = DRIPS["body"]
    with endless(first, again) as server:
        began = time.monotonic()
        with within(seconds=0.5, most_bytes=MIB):
            for _call in range(20):
                with pytest.raises(OutboundError), within(seconds=0.4, most_bytes=MIB):
                    ANY.send("GET", server.url, headers={}).body(MIB)
        took = time.monotonic() - began

    assert took < 3


def test_without_a_budget_nothing_is_sent():
    with endless(*FLOOD) as server:
        with pytest.raises(RuntimeError, match="needs a budget"):
            ANY.send("GET", server.url, headers={})

        assert server.connections == 0


def test_a_name_that_changes_its_address_is_spoken_to_at_the_one_that_was_looked_at(monkeypatch):
    """First public, then loopback: whoever resolves twice speaks to loopback."""
    answers = iter(["93.184.215.14", "127.0.0.1"])
    asked: list[str] = []
    spoken_to: list[str] = []

    def resolve(host: str, port: int, **_kwargs: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(_self: socket.socket, place: tuple[str, int]) -> None:
        spoken_to.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(addresses.BudgetedSocket, "connect", connect)

    with pytest.raises(OutboundError):
        fetch("https://rebinding.example.org/", client=MEMBERS)

    assert (asked, spoken_to) == (["rebinding.example.org"], ["93.184.215.14"])


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443))
        for each in ("93.184.215.14", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)

    with pytest.raises(OutboundError) as refused:
        fetch("https://mixed.example.org/", client=MEMBERS)

    assert refused.value.reason == "address_not_public"


def test_a_name_server_that_does_not_answer_is_left_at_the_deadline(monkeypatch):
    silence = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [silence.wait(60)][:0])
    began = time.monotonic()

    with pytest.raises(OutboundError) as refused:
        fetch("https://silent.example.org/", client=MEMBERS)
    silence.set()

    assert refused.value.reason == "too_slow"
    assert time.monotonic() - began < 3


def test_a_member_reaches_nothing_without_tls():
    with endless(*FLOOD) as server:
        with pytest.raises(OutboundError) as refused:
            fetch(server.url, client=MEMBERS)

        assert (refused.value.reason, server.connections) == ("address_not_public", 0)


def test_no_error_drags_the_address_along():
    """Instagram's addresses hold tokens."""
    with endless(*DRIPS["headers"]) as server, pytest.raises(OutboundError) as refused:
        fetch(f"{server.url}/?access_token=secret-4711")

    seen: BaseException | None = refused.value
    while seen is not None:
        assert "secret-4711" not in repr(seen)
        seen = seen.__cause__ or seen.__context__
