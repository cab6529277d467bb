"""Which IP addresses lead to the public Internet: everything else may be a machine that only we can reach."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# https://www.iana.org/assignments/iana-ipv4-special-registry/ and https://www.iana.org/assignments/multicast-addresses/
_SPECIAL_4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
]
# https://www.iana.org/assignments/iana-ipv6-special-registry/: of 2000::/3, the only part that is assigned to hosts.
_HOSTS_6 = IPv6Network("2000::/3")
_SPECIAL_6 = [
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]


def is_public(address: str) -> bool:
    """Tells whether an IP address is one of the public Internet. False for what is no address.

    Addresses of IPv6 that carry one of IPv4 (mapped, compatible, 6to4, Teredo, NAT64) are not: each is another way to
    write an address that could be private.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _SPECIAL_4)
    return _is_public_6(ip)


def _is_public_6(ip: IPv6Address) -> bool:
    plain = ip.scope_id is None
    return plain and ip in _HOSTS_6 and not any(ip in network for network in _SPECIAL_6)
