"""Special-purpose IP ranges, which no public server uses, with sources.

The IANA registries of special-purpose addresses, complete, whatever their column "globally
reachable" says: an anycast service of a protocol is no member's server either. A range that lies
inside another is kept for the reader. To update the list, compare it with
https://www.iana.org/assignments/iana-ipv4-special-registry/
https://www.iana.org/assignments/iana-ipv6-special-registry/
"""

from __future__ import annotations

from typing import Final

# Complete up to RFC 9780 (May 2025).

IPV4: Final = (
    "0.0.0.0/8",  # this network, RFC 791
    "10.0.0.0/8",  # private use, RFC 1918
    "100.64.0.0/10",  # shared address space, RFC 6598
    "127.0.0.0/8",  # loopback, RFC 1122
    "169.254.0.0/16",  # link local, RFC 3927
    "172.16.0.0/12",  # private use, RFC 1918
    "192.0.0.0/24",  # IETF protocol assignments, RFC 6890; 192.0.0.8 is its dummy address
    "192.0.2.0/24",  # documentation, RFC 5737
    "192.31.196.0/24",  # AS112, RFC 7535
    "192.52.193.0/24",  # AMT, RFC 7450
    "192.88.99.0/24",  # 6to4 relay anycast, deprecated by RFC 7526
    "192.168.0.0/16",  # private use, RFC 1918
    "192.175.48.0/24",  # AS112, RFC 7534
    "198.18.0.0/15",  # benchmarking, RFC 2544
    "198.51.100.0/24",  # documentation, RFC 5737
    "203.0.113.0/24",  # documentation, RFC 5737
    "224.0.0.0/4",  # multicast, RFC 5771
    "240.0.0.0/4",  # reserved, and limited broadcast, RFC 1112 and RFC 8190
)

#: Only this of IPv6 is assigned to anybody's hosts (RFC 4291, section 2.4; RFC 3587).
GLOBAL_UNICAST: Final = "2000::/3"

#: What of GLOBAL_UNICAST is special nevertheless. All else of the registry (::/128, ::1/128,
#: ::ffff:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48, 100::/64, 100:0:0:1::/64, 5f00::/16, fc00::/7,
#: fe80::/10) lies outside of it.
IPV6: Final = (
    "2001::/23",  # IETF protocol assignments, RFC 2928: Teredo, benchmarking, ORCHID, DRIP
    "2001:db8::/32",  # documentation, RFC 3849
    "2002::/16",  # 6to4, RFC 3056
    "2620:4f:8000::/48",  # AS112, RFC 7534
    "3fff::/20",  # documentation, RFC 9637
)

#: Addresses of cloud providers that stand in no registry and answer to the machine alone.
OF_PROVIDERS: Final = (
    "168.63.129.16/32",  # Microsoft Azure: the host's own services
)
