"""Addresses: which ones are somebody's server on the internet; and one connection to a name."""

from __future__ import annotations

import socket
import threading
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from accounts.outbound import special_ranges
from accounts.outbound.budget import OutOfTime, in_force
from accounts.outbound.sockets import BudgetedSocket

Address = IPv4Address | IPv6Address

_IPV4: Final = [IPv4Network(text) for text in (*special_ranges.IPV4, *special_ranges.OF_PROVIDERS)]
_IPV6: Final = [IPv6Network(text) for text in special_ranges.IPV6]
_GLOBAL_UNICAST: Final = IPv6Network(special_ranges.GLOBAL_UNICAST)
#: A translator reaches the IPv4 address in the last 32 bits (RFC 6052).
_NAT64: Final = IPv6Network("64:ff9b::/96")


class NotPublic(HTTPError):
    """The name stands for an address that is nobody's server on the internet."""


class NameUnknown(HTTPError):
    """The name stands for no address."""


def is_public(address: Address) -> bool:
    """Global unicast, outside of every special range; an IPv4 address in disguise is judged bare.

    Deprecated disguises (6to4, Teredo, IPv4-compatible) are refused whatever they hold.
    """
    bare = _bare(address)
    if isinstance(bare, IPv4Address):
        return not any(bare in network for network in _IPV4)
    return bare in _GLOBAL_UNICAST and not any(bare in network for network in _IPV6)


def _bare(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def may_be_named(url: str, *, private: bool) -> bool:
    """Can a member have this address spoken to? Asked without looking its name up.

    https, without a password in it, and not plainly in our own network. `private`: the operator
    allows http and the own network too.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port == 0 or "@" in parts.netloc:
        return False
    return private or _host_may_be_public(parts.hostname)


def _host_may_be_public(host: str) -> bool:
    try:
        return is_public(ip_address(host.partition("%")[0]))
    except ValueError:
        name = host.rstrip(".")
        return "." in name and not name.endswith((".localhost", ".local", ".internal"))


def dial(host: str, port: int, *, public_only: bool) -> BudgetedSocket:
    """A connection to the very address that was looked at (against DNS rebinding).

    Every address of the name must be public where `public_only`. Raises NotPublic, NameUnknown,
    TimeoutError or OSError.
    """
    found = _resolved(host, port)
    if public_only and not all(is_public(ip_address(_text(entry))) for entry in found):
        raise NotPublic
    trouble: OSError = OSError("no address")
    for family, kind, protocol, _name, place in found:
        connection = BudgetedSocket(family, kind, protocol)
        try:
            connection.settimeout(in_force().seconds_left())
            connection.connect(place)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            trouble = error
        else:
            return connection
    raise trouble


def _text(entry: tuple[Any, ...]) -> str:
    return str(entry[4][0]).partition("%")[0]


def _resolved(host: str, port: int) -> list[tuple[Any, ...]]:
    """As getaddrinfo, which knows no time limit: asked in a thread that is left behind if late."""
    answer: list[list[tuple[Any, ...]]] = []

    def ask() -> None:
        try:
            answer.append(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError):
            answer.append([])

    asking = threading.Thread(target=ask, daemon=True, name="resolver")
    asking.start()
    asking.join(in_force().seconds_left())
    if not answer:
        raise OutOfTime
    if not answer[0]:
        raise NameUnknown
    return answer[0]
