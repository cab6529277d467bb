"""What one subscription field sends."""

from typing import Any, NamedTuple
from uuid import uuid4

from crm.projection import Projection

# Placeholders in a shared body, in whose place each subscriber gets its own.
CURSOR = uuid4().hex
LEFT = uuid4().hex  # whether the row has left the subscriber's filter


class Feed(NamedTuple):
    """Changed rows of a projection: all, or those that fulfil the condition `only`."""

    projection: Projection[Any]
    about: str
    only: str = "true"  # a condition on the row `t`
