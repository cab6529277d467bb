"""How a session notices that its server is gone without a word."""

from collections.abc import Mapping
from typing import Any

# Options of a connection: within about ten seconds, in silence and while something is sent.
NOTICED: Mapping[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}
