"""The address of intake as vendors call it, and a warning when they cannot reach it."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from crm.settings import Settings

ONLY_HERE = "Only this machine can reach this address; set CRM_PUBLIC_URL or run a tunnel."
ONLY_NEAR = "Only your own network can reach this address; set CRM_PUBLIC_URL or run a tunnel."
NEAR_NAMES = (".local", ".internal", ".lan", ".home.arpa", ".test")  # names that no public DNS server knows


def intake_url(settings: Settings, local: str = "", environment: Mapping[str, str] = os.environ) -> str:
    """Returns CRM_PUBLIC_URL, else `local`, else CRM_INTAKE_URL, else where intake listens; without a slash at its end.

    `local`: the address of a running stack, as other commands know it.
    """
    listening = f"http://{settings.host}:{settings.intake_port}"
    return (settings.public_url or local or environment.get("CRM_INTAKE_URL") or listening).rstrip("/")


def intake_inside_url(settings: Settings) -> str:
    """Returns where the API reaches intake; without a slash at its end."""
    return inside(settings, settings.intake_inside_url, settings.intake_port)


def api_url(settings: Settings) -> str:
    """Returns where other roles reach the API; without a slash at its end."""
    return inside(settings, settings.api_url, settings.api_port)


def inside(settings: Settings, said: str, port: int) -> str:
    """Returns the address that was said; without one, that of the port on this host."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return (said or f"http://{host}:{port}").rstrip("/")


def warning(url: str) -> str:
    """Returns who alone can reach an address, as a sentence; empty when it may be reached from everywhere."""
    if not url:
        return ""
    host = (urlsplit(url).hostname or "").lower()
    try:
        address = ip_address(host)
    except ValueError:
        if host == "localhost" or host.endswith(".localhost"):
            return ONLY_HERE
        return ONLY_NEAR if "." not in host or host.endswith(NEAR_NAMES) else ""
    if address.is_loopback or address.is_unspecified:
        return ONLY_HERE
    return "" if address.is_global else ONLY_NEAR


def url_of(base: str, connection: str, proof: str) -> str:
    """Returns the URL to give to the vendor of a connection; empty for a vendor that sends nothing.

    `proof`: how its connector says that it proves itself.
    """
    if proof == "api key":
        return ""
    return f"{base}/facts" if proof == "access token" else f"{base}/in/{connection}"
