"""One step of a trace."""

from collections.abc import Mapping
from typing import NamedTuple


class Step(NamedTuple):
    """One fact or event on its way through a role."""

    traceparent: str
    name: str
    attributes: Mapping[str, str | int]
