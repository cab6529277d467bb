"""The words that all rooms share; and all that an analyst's own projection file imports: docs/replay.md.

from crm import Id, Micros, Row, projection, replace
from crm.events import DealOpened, DealPaid
"""

from msgspec.structs import replace

from crm import events
from crm.envelope import Event, Row
from crm.json_column import Json, json_of
from crm.projection import Projection, projection
from crm.scalars import Id, Micros

__all__ = ["Event", "Id", "Json", "Micros", "Projection", "Row", "events", "json_of", "projection", "replace"]
