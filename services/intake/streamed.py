"""POST /facts: the open API for those who stream; many facts a request, one verdict a line."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from msgspec import UNSET, Struct, UnsetType

from crm.connector import TRACEPARENT
from crm.envelope import named_id
from crm.errors import Malformed, NotYet
from crm.log import Clock, Log, Record
from crm.scalars import Id, Micros
from services.intake.body import Bodies, Receive
from services.intake.lines import NDJSON, is_ndjson, lines_of
from services.intake.metrics import FACTS, LINES_REFUSED
from services.intake.records import record_of
from services.intake.repeats import Repeats
from services.intake.reply import JSON, Reply, Stop, later, problem
from services.intake.told import Teller, read_line

SLICE = 100  # lines read before others get their turn
MAX_KEY = 200
UNAUTHORIZED = ((b"www-authenticate", b"Bearer"),)
