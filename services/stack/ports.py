"""Ports of this machine that are free."""

import socket
from collections.abc import Callable

LOCAL = "127.0.0.1"


def is_free(port: int, host: str = LOCAL) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def any_free(host: str = LOCAL) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def choose(what: str, wanted: int, say: Callable[[str], None], host: str = LOCAL) -> int:
    """The wanted port, or another and a sentence when it is busy. 0 takes any."""
    if wanted and is_free(wanted, host):
        return wanted
    port = any_free(host)
    if wanted:
        say(f"Port {wanted} is busy: {what} takes {port} instead.")
    return port
