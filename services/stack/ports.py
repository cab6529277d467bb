"""Ports of this machine that are free."""

import random
import socket
from collections.abc import Callable

LOCAL = "127.0.0.1"
# Below those that systems give to outgoing connections (from 32768 on): one of these could be taken by anybody while
# its owner starts again.
QUIET = range(15_000, 32_768)
TRIES = 1_000


def is_free(port: int, host: str = LOCAL) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def any_free(host: str = LOCAL) -> int:
    """Raises OSError when the machine has none left."""
    for port in random.sample(QUIET, TRIES):
        if is_free(port, host):
            return port
    raise OSError(f"No port of {TRIES} between {QUIET[0]} and {QUIET[-1]} is free on {host}.")


def choose(what: str, wanted: int, say: Callable[[str], None], host: str = LOCAL) -> int:
    """The wanted port, or another and a sentence when it is busy. 0 takes any."""
    if wanted and is_free(wanted, host):
        return wanted
    port = any_free(host)
    if wanted:
        say(f"Port {wanted} is busy: {what} takes {port} instead.")
    return port
