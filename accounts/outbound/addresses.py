"""Public IP addresses: which count as public, and connecting only to those."""

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
    """The host name resolves to an address that is not public."""


class NameUnknown(HTTPError):
    """The host name does not resolve."""


def is_public(address: Address) -> bool:
    """Whether it is global unicast outside every special range; embedded IPv4 is checked itself.

    Deprecated embeddings (6to4, Teredo, IPv4-compatible) are refused in any case.
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


def is_allowed_url(url: str, *, private: bool) -> bool:
    """Whether a member may enter this URL; checked without DNS.

    https, without a password in it, and not clearly in our own network. `private`: the operator
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
    """Connect to exactly the address that was checked (against DNS rebinding).

    With `public_only`, every address of the name must be public. Raises NotPublic, NameUnknown,
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
    """getaddrinfo with a time limit: called in a thread, which is abandoned when late."""
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
