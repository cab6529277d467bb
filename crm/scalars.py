"""The scalars that records and rows are made of."""

from typing import NewType

# A UUID as canonical text: uuid.UUID objects cost more than all the rest of reading an event.
Id = NewType("Id", str)

# Microseconds since 1970-01-01 UTC: a datetime is made only where a row is written or a person reads.
Micros = NewType("Micros", int)

# A text that is only for sorting, compared byte by byte: crm.text.sort_keys.
SortKey = NewType("SortKey", str)
