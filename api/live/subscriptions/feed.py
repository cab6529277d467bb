"""What one subscription field sends."""

from typing import Any, NamedTuple
from uuid import uuid4

from crm.projection import Projection

CURSOR = uuid4().hex  # placeholder in a shared body; each subscriber gets its own cursor in its place


class Feed(NamedTuple):
    """Changed rows of a projection: all, or those that fulfil the condition `only`."""

    projection: Projection[Any]
    about: str
    only: str = "true"  # a condition on the row `t`
