"""Which URLs events may be sent to, by their text. What a name resolves to is checked at each connection."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from crm.public_networks import is_public

LONGEST = 2_000  # characters
NUMBER = frozenset("0123456789abcdefx.")


def problem(url: str, private_hosts: tuple[str, ...] = ()) -> str | None:
    """Returns why nothing can be sent to a URL, as a sentence; None when it can. `private_hosts`: hosts, or a
    host and a port, that are allowed though they are not public, and by http, in tests and at a developer's."""
    if len(url) > LONGEST:
        return f"The URL is longer than {LONGEST:,} characters."
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        return "The URL has a blank or a control character in it."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return f"It is no URL: {error}."
    if parts.scheme not in ("https", "http") or not host:
        return "It is no URL: it must begin with https:// and a host."
    if parts.username is not None or parts.password is not None:
        return "The URL has a name or a password in it. Requests are signed; the receiver needs neither."
    if port == 0:
        return "It is no URL: there is no port 0."
    if parts.fragment:
        return "The URL has a fragment (#), which is never sent."
    if host in private_hosts or f"{host}:{port}" in private_hosts:
        return None
    if parts.scheme == "http":
        return "It must begin with https://: events are about people."
    return host_problem(host)


def host_problem(host: str) -> str | None:
    try:
        address = ip_address(host)
    except ValueError:
        if set(host) <= NUMBER and not set(host) <= {"a", "b", "c", "d", "e", "f", "."} and is_number(host):
            return f"{host} is another way to write an IP address. Write it as usual, or use a name."
        if "." not in host.strip("."):
            return f"{host} is a name of a machine that only we can reach."
        return None
    return None if is_public(str(address)) else f"{host} is no address of the public Internet."


def is_number(host: str) -> bool:
    """Whether every part is a number, as inet_aton reads it: decimal, octal or hexadecimal."""
    return all(part.isdecimal() or part.startswith("0x") for part in host.rstrip(".").split("."))


def webhook_hosts(setting: str) -> tuple[str, ...]:
    """Returns the hosts of CRM_WEBHOOK_HOSTS."""
    return tuple(host.strip().lower() for host in setting.split(",") if host.strip())
