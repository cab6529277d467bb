"""What one subscription field tells."""

from typing import Any, NamedTuple
from uuid import uuid4

from crm.projection import Projection

CURSOR = uuid4().hex  # stands in a body for the cursor, which is each subscriber's own


class Feed(NamedTuple):
    """Rows of a projection that changed: all, or those for which `only` holds."""

    projection: Projection[Any]
    about: str
    only: str = "true"  # a condition on the row `t`
