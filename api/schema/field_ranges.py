"""Ranges of one custom field: what is asked for as two bounds of the text by which its values are sorted."""

from decimal import Decimal
from typing import Any

from api.errors import BadInput
from api.schema import where_inputs as inputs
from crm.adapters.postgres.field_values import LONGEST, NUMBER, TEXT, view
from crm.objects import sortable_number
from crm.projection import Projection

RANGE = "fields__range"
COMPARED = ("gt", "gte", "lt", "lte")
ORDER = "FIELD"  # its name without direction
COLUMNS = ("field_value", "field_time", "field_row")  # what a page in this order has besides the row's columns
SENT = "Nothing was read."
NEXT = "\x01"  # a text with it is the next one in the order by code points
FIRST, LAST = "a", "z"  # around the letters of all types
WITHIN = "{f}.field = ({value}::text[])[1] AND {f}.value >= ({value}::text[])[2] AND {f}.value < ({value}::text[])[3]"


def table(projection: Projection[Any]) -> str:
    """Returns the view of the values of custom fields."""
    return view(projection.name)


def within(alias: str, value: str) -> str:
    """Returns the condition for values within bounds. `value`: SQL of `bounds`."""
    return WITHIN.format(f=alias, value=value)


def condition(projection: Projection[Any]) -> str:
    """Returns the condition for rows whose value is within bounds, wherever the rows come from."""
    found = WITHIN.format(f="f", value="{value}")
    return (
        f"EXISTS (SELECT FROM {table(projection)} AS f WHERE f.workspace = {{workspace}} "
        f"AND f.{projection.key} = {{t}}.{projection.key} AND {found})"
    )


def is_range(one: Any) -> bool:
    """Tells whether a custom field is compared otherwise than by equality."""
    return any(inputs.value_of(one, name) is not None for name in (*COMPARED, "between", "is_null"))


def bounds(one: Any) -> list[str]:
    """Returns the field, the first text of the range, and the first one behind it. Raises BadInput."""
    key = inputs.value_of(one, "key")
    given = {name: value for name in COMPARED if (value := inputs.value_of(one, name)) is not None}
    if (between := inputs.value_of(one, "between")) is not None:
        given |= inputs.bounds(f"fields.{key}", between, given)
    if (missing := inputs.value_of(one, "is_null")) is not None:
        if missing or given:
            raise BadInput(
                f"The custom field `{key}` takes `isNull: false`, alone, for all rows that have it: no index has the "
                f"rows without a custom field. {SENT}"
            )
        return [key, FIRST, LAST]
    if {"gt", "gte"} <= given.keys() or {"lt", "lte"} <= given.keys():
        raise BadInput(f"The custom field `{key}` takes one lower and one upper bound. {SENT}")
    found = {name: sorted_value(key, value) for name, value in given.items()}
    kinds = {text[0] for text in found.values()}
    if len(kinds) != 1:
        raise BadInput(f"The bounds of the custom field `{key}` are of two types, number and text. {SENT}")
    (kind,) = kinds
    low = found.get("gte") or (f"{found['gt']}{NEXT}" if "gt" in found else kind)
    high = found.get("lt") or (f"{found['lte']}{NEXT}" if "lte" in found else chr(ord(kind) + 1))
    return [key, low, high]


def sorted_value(key: str, value: Any) -> str:
    """Returns a bound as its table holds values. Raises BadInput."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise BadInput(f"A bound of the custom field `{key}` is a number or a text. {SENT}")
    if len(str(getattr(value, "text", value))) >= LONGEST:
        raise BadInput(f"A bound of the custom field `{key}` has less than {LONGEST} characters. {SENT}")
    if isinstance(value, str):
        return f"{TEXT}{value}"
    return f"{NUMBER}{sortable_number(Decimal(str(getattr(value, 'text', value))))}"
