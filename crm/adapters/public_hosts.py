"""The addresses of a host that people named: resolved once, and called only if all are of the public Internet."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from crm.public_networks import is_public


class NotPublic(Exception):
    """A host has an address that only we can reach, or none."""


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """Returns the addresses of a name, as the system gives them. Raises OSError or UnicodeError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def public_address(host: str, port: int) -> str:
    """Returns one address of a host, to be called itself: the name may have another a moment later. Raises NotPublic,
    and OSError or UnicodeError for a host that is unknown."""
    found = await addresses_of(host, port)
    if not found or not all(map(stands_for_public, found)):
        raise NotPublic(host)
    return found[0]


def stands_for_public(address: str) -> bool:
    """Whether it is of the public Internet; an IPv4 address in the form of IPv6 is judged by what it stands for."""
    ip = ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return is_public(str(mapped or ip))
