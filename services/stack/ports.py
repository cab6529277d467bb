"""Free ports of this machine, and the ports that a stack used before."""

import random
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from services.stack.files import replace_file

LOCAL = "127.0.0.1"
# Below the range for outgoing connections (from 32768 on), which any process could take during a restart.
QUIET = range(15_000, 32_768)
TRIES = 1_000
IN_USE = " is in use: "


def is_free(port: int, host: str = LOCAL) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def any_free(host: str = LOCAL) -> int:
    """Raises OSError when none of `TRIES` random ports is free."""
    for port in random.sample(QUIET, TRIES):
        if is_free(port, host):
            return port
    raise OSError(f"None of {TRIES} ports between {QUIET[0]} and {QUIET[-1]} is free on {host}.")


def notices(log: str) -> list[str]:
    """Returns the lines of a stack's log that say which ports were in use."""
    return [line for line in log.splitlines() if IN_USE in line]


class Ports:
    """The ports of the stack on a data folder. Kept in `ports.json`, so that addresses stay the same between starts."""

    def __init__(self, data: Path, say: Callable[[str, str], None]) -> None:
        self.file, self.say = data / "ports.json", say
        try:
            self.used = msgspec.json.decode(self.file.read_bytes(), type=dict[str, tuple[int, int]])
        except (FileNotFoundError, msgspec.DecodeError):
            self.used = {}  # by name: the wanted port and the one that was taken for it

    def choose(self, name: str, wanted: int, host: str = LOCAL) -> int:
        """Returns the port of the last start, else the wanted one, else any; says so when one of them is in use.

        `wanted` 0 means any. A port of the last start counts only while `wanted` is what it was then.
        """
        before, last = self.used.get(name, (wanted, wanted))
        candidates = dict.fromkeys(port for port in ((last if before == wanted else 0), wanted) if port)
        port = next((port for port in candidates if is_free(port, host)), 0) or any_free(host)
        if candidates and port != (first := next(iter(candidates))):
            self.say_moved(name, first, port)
        self.keep(name, wanted, port)
        return port

    def say_moved(self, name: str, first: int, port: int) -> None:
        self.say(name, f"Port {first}{IN_USE}{name} uses port {port} instead, now and at the next start.")

    def keep(self, name: str, wanted: int, port: int) -> None:
        """Writes down a port that was taken. The data folder exists by now."""
        self.used[name] = wanted, port
        replace_file(self.file, msgspec.json.encode(self.used))
